// What stands in the way of shipping, and its end: against a server that refuses as Elasticsearch does, over TLS, with a real database.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { testDatabase } from '../../../test/support/database.ts';
import type { PartHealth } from '../../../protocol/status.ts';
import { AuditSettings } from '../../config/audit-settings.ts';
import { makeAuthority, makeServerCertificate } from '../../tls/certificate.ts';
import { egressPlaces } from '../places.ts';
import { openAudit } from './open.ts';

const PATIENCE_MS = 60_000;
const AT = '2026-11-21T22:10:00.000Z';

/** Refuses everybody who has another key, and all bulks while there is a refusal; keeps the ids of what it takes. */
async function fakeElasticsearch(t: TestContext, directory: string) {
  const authority = await makeAuthority('Elasticsearch of a test', new Date());
  const issuer = { name: 'Elasticsearch of a test', key: createPrivateKey(authority.key) };
  const own = await makeServerCertificate(['127.0.0.1'], issuer, { now: new Date(), days: 2 });
  const caFile = path.join(directory, 'ca.crt');
  writeFileSync(caFile, authority.certificate);
  const fake = {
    url: '',
    caFile,
    key: 'valid',
    refusal: undefined as [number, string, string] | undefined,
    taken: new Set<string>(),
  };
  const server = createServer({ key: own.key, cert: own.certificate }, async (request, response) => {
    const body = await text(request);
    const answer = (status: number, document: object) =>
      response
        .writeHead(status, {
          'content-type': 'application/vnd.elasticsearch+json',
          'x-elastic-product': 'Elasticsearch',
        })
        .end(JSON.stringify(document));
    const refuse = ([status, type, reason]: [number, string, string]) =>
      answer(status, { error: { type, reason }, status });
    if (request.headers.authorization !== `ApiKey ${fake.key}`)
      return refuse([401, 'security_exception', 'unable to authenticate: API key is expired']);
    if (!request.url?.startsWith('/_bulk'))
      return answer(200, request.method === 'HEAD' ? {} : { acknowledged: true, index_templates: [] });
    if (fake.refusal !== undefined) return refuse(fake.refusal);
    for (const line of body.split('\n').filter((each) => each.startsWith('{"index"')))
      fake.taken.add((JSON.parse(line) as { index: { _id: string } }).index._id);
    answer(200, { errors: false, items: [] });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  fake.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fake;
}

async function rig(t: TestContext, settings: { caFile?: string; url?: string } = {}) {
  const root = mkdtempSync(path.join(tmpdir(), 'autocode-audit-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const { spool } = egressPlaces(root);
  mkdirSync(spool, { recursive: true });
  const fake = await fakeElasticsearch(t, root);
  const db = await testDatabase();
  t.after(() => db[Symbol.asyncDispose]());
  const kept = { key: 'valid' };
  const open = () =>
    openAudit({
      settings: AuditSettings.parse({
        url: fake.url,
        caFile: fake.caFile,
        apiKeySecret: 'audit-key',
        ...settings,
      }),
      root,
      db: db.pool,
      log: { info() {}, warn() {}, error() {}, debug() {} } as never,
      secrets: { get: async () => ({ value: kept.key, version: 1 }) } as never,
    });
  return {
    fake,
    kept,
    open,
    write(id: string) {
      appendFileSync(
        path.join(spool, '2026-11-21T22.jsonl'),
        `${JSON.stringify({ id, event: 'close', at: AT })}\n`,
      );
    },
  };
}

async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  for (const giveUp = performance.now() + PATIENCE_MS; !(await look()); await delay(20))
    if (performance.now() > giveUp) throw new Error(`${what} did not come about`);
}

const untilHealth = async (audit: { health(): Promise<PartHealth> }, wanted: RegExp) => {
  let last = '';
  await until(String(wanted), async () => {
    const { state, detail } = await audit.health();
    last = `${state}: ${detail}`;
    return wanted.test(last);
  }).catch((error: Error) => assert.fail(`${error.message}; it says ${last}`));
};

test('whatever stands in the way is told with what to do; when it is gone all that has waited comes', async (t) => {
  const { fake, kept, open, write } = await rig(t);
  write('1');
  for (const [status, type, reason, wanted] of [
    [
      429,
      'es_rejected_execution_exception',
      'queue is full',
      /too much to do.*1 MB to ship; nothing is lost/,
    ],
    [503, 'unavailable_shards_exception', 'no primary', /no shard to write to.*_cluster\/health/],
    [403, 'cluster_block_exception', 'blocked by: [read-only (api)]', /takes nothing more.*Free its disk/],
    [403, 'security_exception', 'action [bulk] is unauthorized', /does not permit it.*privileges/],
    [502, 'something', 'else', /answers 502 something: else.*audit setup/],
  ] as const) {
    fake.refusal = [status, type, reason];
    const audit = open();
    try {
      await untilHealth(audit, new RegExp(`^degraded: .*${wanted.source}`));
    } finally {
      await audit.stop();
    }
  }
  fake.refusal = undefined;
  fake.key = 'renewed';
  const audit = open();
  try {
    await untilHealth(
      audit,
      /^degraded: .*does not accept the API key of the secret audit-key.*autocode secret set audit-key/,
    );
    write('2');
    kept.key = 'renewed';
    await untilHealth(audit, /^ok: .*all is shipped/);
    assert.deepEqual([...fake.taken], ['1', '2']);
  } finally {
    await audit.stop();
  }
});

test('a certificate of another authority, and a server that is not there, are told; nothing is sent there', async (t) => {
  const other = await makeAuthority('Somebody else', new Date());
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-audit-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const caFile = path.join(directory, 'ca.crt');
  writeFileSync(caFile, other.certificate);
  for (const [settings, wanted] of [
    [{ caFile }, /^degraded: The certificate of .* is not trusted.*egress\.audit\.caFile/],
    [{ caFile: path.join(directory, 'none') }, /^degraded: The authority of Elasticsearch cannot be read/],
    [{ url: 'https://127.0.0.1:1' }, /^degraded: .*does not answer .*systemctl start elasticsearch/],
  ] as const) {
    const { fake, open, write } = await rig(t, settings);
    write('1');
    const audit = open();
    try {
      await untilHealth(audit, wanted);
      assert.equal(fake.taken.size, 0);
    } finally {
      await audit.stop();
    }
  }
});
