// The audit against a real Elasticsearch: what is shipped, what is asked, and what happens when it is away or does not want to.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AuditSettings } from '../../orchestrator/config/audit-settings.ts';
import { openSearch, type Search } from '../../orchestrator/egress/audit/client.ts';
import { reportIndexed, searchIndexed } from '../../orchestrator/egress/audit/questions.ts';
import { removeOldIndices } from '../../orchestrator/egress/audit/retention.ts';
import { setUpAudit } from '../../orchestrator/egress/audit/setup.ts';
import { timelineIndexed } from '../../orchestrator/egress/audit/timeline.ts';
import { shipOnce, shipSpool, type ShipperOptions } from '../../orchestrator/egress/audit/ship.ts';
import type { TrafficQuery } from '../../orchestrator/egress/traffic/query.ts';
import { reportTraffic, searchTraffic } from '../../orchestrator/egress/traffic/search.ts';
import { timelineOf } from '../../orchestrator/egress/traffic/timeline.ts';
import { spoolReader } from '../../orchestrator/egress/traffic/spool-reader.ts';
import { runCli } from '../../orchestrator/cli/testing/run-cli.ts';
import { TRAFFIC_GROUPS, TRAFFIC_SUMS } from '../../protocol/traffic.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { startElasticsearch, type Elasticsearch } from '../support/elasticsearch.ts';

const NO_SECRETS = { get: async () => undefined } as never;
const PATIENCE_MS = 100_000;
const DAY = '2026-11-21';
/** A file that lines may come to meanwhile: of an hour that is not over. */
const GROWING = new Date(Date.now() + 86_400_000).toISOString().slice(0, 13);
const INDEX = 'autocode-traffic-2026.11.21';
const RECORD = {
  run: '12-1',
  task: 12,
  project: 'shop',
  worker: 'w',
  client: '127.0.0.1',
  host: 'a.example',
  method: 'GET',
  url: 'https://a.example/x',
  decision: 'allowed',
};

let server: Elasticsearch | undefined;
let db: TestDatabase | undefined;
let search: Search;

before(async () => {
  db = await testDatabase();
  server = await startElasticsearch();
  search = openSearch(AuditSettings.parse({ url: server.url, retentionDays: 30 }), NO_SECRETS);
});
after(async () => {
  await search?.close();
  await server?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  for (const giveUp = performance.now() + PATIENCE_MS; !(await look()); await delay(50))
    if (performance.now() > giveUp) throw new Error(`${what} did not come about`);
}

/** A spool of its own, and an Elasticsearch without records. */
async function rig(t: TestContext) {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-audit-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const options: ShipperOptions = {
    db: db!.pool,
    search,
    reader: spoolReader(db!.pool, 'elasticsearch', directory),
    rejected: path.join(directory, 'rejected'),
    signal: new AbortController().signal,
    told() {},
  };
  await db!.pool.query('delete from spool_position');
  const { body } = await server!.call('GET', '/_cat/indices/autocode-traffic-*?format=json&h=index');
  for (const { index } of JSON.parse(body) as { index: string }[]) await server!.call('DELETE', `/${index}`);
  await setUpAudit(search);
  return {
    options,
    directory,
    write(hour: string, ...records: object[]) {
      for (const record of records)
        appendFileSync(
          path.join(directory, `${hour}.jsonl`),
          `${JSON.stringify({ ...RECORD, ...record })}\n`,
        );
    },
    raw(hour: string, text: string) {
      appendFileSync(path.join(directory, `${hour}.jsonl`), text);
    },
    async forget() {
      await db!.pool.query('delete from spool_position');
      options.reader.startOver();
    },
    /** Ships all there is; what has come by then. */
    async ship(): Promise<{ id: string; event: string; index: string }[]> {
      while (await shipOnce(options));
      await server!.call('POST', '/autocode-traffic/_refresh');
      const { body: found } = await server!.call('GET', '/autocode-traffic/_search?size=1000&sort=position');
      return found.hits.hits.map(({ _id, _index, _source }: never) => ({
        id: _id,
        event: (_source as { event: string }).event,
        index: _index,
      }));
    },
  };
}

test('of a request there is one document, in the index of its day, however often and in whatever order its lines come', async (t) => {
  const { write, ship, forget } = await rig(t);
  const late = `${DAY}T23:59:59.900Z`;
  write(`${DAY}T23`, { id: '1', event: 'open', at: late }, { id: '2', event: 'open', at: late });
  assert.deepEqual(
    (await ship()).map(({ id, event }) => [id, event]),
    [
      ['1', 'open'],
      ['2', 'open'],
    ],
  );
  write(
    '2026-11-22T00',
    { id: '1', event: 'close', at: late, status: 200 },
    { id: '3', event: 'close', at: '2026-11-22T00:10:00.000Z' },
  );
  const expected = [
    { id: '2', event: 'open', index: INDEX },
    { id: '1', event: 'close', index: INDEX },
    { id: '3', event: 'close', index: 'autocode-traffic-2026.11.22' },
  ];
  assert.deepEqual(await ship(), expected);
  await forget(); // as if nothing had been noted before a crash
  assert.deepEqual(await ship(), expected);
});

test('a line that is not finished waits, half a line that a crash left is passed over', async (t) => {
  const { raw, write, ship } = await rig(t);
  const at = `${DAY}T10:00:00.000Z`;
  write(GROWING, { id: '1', event: 'close', at });
  raw(GROWING, '{"id":"2","event":"close",');
  assert.deepEqual(
    (await ship()).map(({ id }) => id),
    ['1'],
  );
  raw(GROWING, `"at":"${at}","decision":"allowed"}\n{"id":"3","ev\n`);
  write(GROWING, { id: '4', event: 'close', at });
  assert.deepEqual(
    (await ship()).map(({ id }) => id),
    ['1', '2', '4'],
  );
  raw(`${DAY}T01`, '{"id":"5","ev');
  assert.equal((await ship()).length, 3);
});

test('a record that fits no mapping goes aside with its reason and keeps no other one up', async (t) => {
  const { write, ship, forget, options } = await rig(t);
  const at = `${DAY}T10:00:00.000Z`;
  write(
    `${DAY}T10`,
    { id: '1', event: 'close', at },
    { id: 'b/2', event: 'close', at, status: 'many' },
    { id: '3', event: 'close', at },
  );
  assert.deepEqual(
    (await ship()).map(({ id }) => id),
    ['1', '3'],
  );
  await forget();
  await ship();
  const files = readdirSync(options.rejected);
  assert.deepEqual(files, ['b_2-close.json']);
  const { reason, record } = JSON.parse(readFileSync(path.join(options.rejected, files[0]!), 'utf8'));
  assert.match(reason, /document_parsing_exception: .*status/);
  assert.equal(record.id, 'b/2');
});

test('an index that is read-only, shards that are not there, too many of them: nothing goes aside, all comes when it is mended', async (t) => {
  const { write, ship } = await rig(t);
  const at = `${DAY}T10:00:00.000Z`;
  write(GROWING, { id: '1', event: 'close', at });
  await ship();
  write(GROWING, { id: '2', event: 'close', at });
  await server!.call('PUT', `/${INDEX}/_settings`, { 'index.blocks.write': true });
  await assert.rejects(ship(), {
    code: 'ERR_ELASTICSEARCH_UNAVAILABLE',
    message: /takes nothing more/,
    remedy: /Free its disk/,
  });
  await server!.call('PUT', `/${INDEX}/_settings`, { 'index.blocks.write': null });
  assert.equal((await ship()).length, 2);

  await server!.call('PUT', '/_cluster/settings', { persistent: { 'cluster.max_shards_per_node': 1 } });
  write(GROWING, { id: '3', event: 'close', at: '2026-11-22T10:00:00.000Z' });
  await assert.rejects(ship(), { code: 'ERR_ELASTICSEARCH_REFUSED', message: /maximum/ });
  await server!.call('PUT', '/_cluster/settings', { persistent: { 'cluster.max_shards_per_node': null } });
  assert.equal((await ship()).length, 3);
});

test('policy, template and alias are put once; what somebody changed is told and mended when asked', async (t) => {
  await rig(t);
  const states = async (options = {}) => (await setUpAudit(search, options)).map(({ state }) => state);
  assert.deepEqual(await states(), ['same', 'same']);
  const { body } = await server!.call('GET', '/_ilm/policy/autocode-traffic');
  assert.equal(body['autocode-traffic'].policy.phases.delete.min_age, '30d');
  await server!.call('PUT', '/_index_template/autocode-traffic', {
    index_patterns: ['autocode-traffic-*'],
    version: 1,
    priority: 500,
    template: { mappings: {} },
  });
  assert.deepEqual(await states({ gently: true }), ['same', 'same']);
  assert.deepEqual(await states({ dryRun: true }), ['same', 'changed']);
  assert.deepEqual(await states(), ['same', 'changed']);
  assert.deepEqual(await states(), ['same', 'same']);
});

test('the verb that puts them there says what it would do, and does it', async (t) => {
  const { directory } = await rig(t);
  await server!.call('DELETE', '/_index_template/autocode-traffic');
  const settings = [`dataDir=${path.join(directory, 'data')}`, `egress.audit.url=${server!.url}`];
  const setup = async (...words: string[]) =>
    await runCli(['egress', 'audit', 'setup', ...words, ...settings.flatMap((each) => ['--set', each])]);
  assert.match(
    (await setup('--dry-run')).stdout,
    /policy autocode-traffic +\S.*\n.*template autocode-traffic +would be made/,
  );
  assert.match((await setup()).stdout, /template autocode-traffic +made/);
  assert.equal((await server!.call('GET', '/_index_template/autocode-traffic')).status, 200);
});

test('indices of days that are over for longer than they are kept go, others stay', async (t) => {
  const { write, ship } = await rig(t);
  for (const day of ['2026-10-20', '2026-10-21', '2026-10-22', DAY])
    write(`${day}T10`, { id: day, event: 'close', at: `${day}T10:00:00.000Z` });
  await ship();
  await server!.call('PUT', '/autocode-traffic-of-somebody');
  assert.deepEqual(await removeOldIndices(search, new Date(`${DAY}T12:00:00Z`)), [
    'autocode-traffic-2026.10.20',
    'autocode-traffic-2026.10.21',
  ]);
  assert.deepEqual(await removeOldIndices(search, new Date(`${DAY}T12:00:00Z`)), []);
  assert.equal((await server!.call('GET', '/autocode-traffic-of-somebody')).status, 200);
});

test('questions have the same answers from the spool and from Elasticsearch', async (t) => {
  const { write, ship, directory } = await rig(t);
  const at = (minute: number, hour = 22) => `${DAY}T${hour}:${String(minute).padStart(2, '0')}:00.000Z`;
  write(
    `${DAY}T22`,
    { id: '1', event: 'open', at: at(1) },
    { id: '2', event: 'open', at: at(2), run: '13-1' },
  );
  write(
    `${DAY}T22`,
    {
      id: '3',
      event: 'close',
      at: at(3),
      host: 'b.a.example',
      bytesOut: 5,
      bytesIn: 6,
      requestHeaders: [['accept', '*/*']],
    },
    { id: '4', event: 'close', at: at(4), run: null, project: null, decision: 'refused', host: 'A.example' },
    {
      id: '5',
      event: 'close',
      at: at(5),
      project: 'other',
      worker: 'v',
      decision: 'denied',
      url: 'https://a/nee*dle?x=1',
      method: 'POST',
    },
  );
  write(
    `${DAY}T23`,
    { id: '1', event: 'close', at: at(1), status: 200, bytesIn: 7 },
    { id: '6', event: 'close', at: at(6, 23), bytesOut: 5 },
  );
  await ship();
  const queries: TrafficQuery[] = [
    {},
    { run: '13-1' },
    { project: 'shop' },
    { project: 'none' },
    { worker: 'v' },
    { host: '*.a.example' },
    { host: 'a.example' },
    { decision: 'denied' },
    { text: 'nee*dle?' },
    { text: 'needle' },
    { since: at(3) },
    { until: at(3) },
    { since: at(2), until: at(4), project: 'shop' },
    { bytes: 7 },
    { bytes: 12 },
  ];
  for (const query of queries) {
    const spool = await searchTraffic(directory, { ...query, limit: 10 });
    assert.deepEqual(await searchIndexed(search, { ...query, limit: 10 }), spool, JSON.stringify(query));
    for (const by of TRAFFIC_GROUPS)
      assert.deepEqual(
        await reportIndexed(search, query, by),
        await reportTraffic(directory, query, by),
        `${by} ${JSON.stringify(query)}`,
      );
    for (const of of TRAFFIC_SUMS) {
      const asked = { until: `${DAY}T23:59:00.000Z`, ...query, by: 'host' as const, of, top: 2 };
      assert.deepEqual(
        await timelineIndexed(search, asked),
        await timelineOf(directory, asked),
        `over time, of ${of} ${JSON.stringify(query)}`,
      );
    }
  }
  const pages: string[] = [];
  for (let last: string | undefined; ;) {
    const { records } = await searchIndexed(search, { limit: 2, before: last });
    pages.push(...records.map(({ id }) => id));
    last = records.at(-1)?.id;
    if (records.length < 2) break;
  }
  const { records } = await searchTraffic(directory, { limit: 10 });
  assert.deepEqual(
    pages,
    records.map(({ id }) => id),
  );
  await assert.rejects(searchIndexed(search, { limit: 1, before: 'gone' }), { code: 'ERR_NOT_FOUND' });
});

test('Elasticsearch killed and away for a while loses nothing and doubles nothing', async (t) => {
  const { write, options } = await rig(t);
  const stopping = new AbortController();
  const troubles: (string | null)[] = [];
  const told = (trouble: Error | null) => void troubles.push(trouble?.message ?? null);
  const shipped = shipSpool({ ...options, signal: stopping.signal, told });
  const count = async () => {
    await server!.call('POST', '/autocode-traffic/_refresh');
    return (await server!.call('GET', '/autocode-traffic/_count')).body.count as number;
  };
  try {
    const at = `${DAY}T10:00:00.000Z`;
    write(GROWING, { id: '1', event: 'close', at }, { id: '2', event: 'open', at });
    await until('two records', async () => (await count()) === 2);
    await server!.kill();
    write(GROWING, { id: '2', event: 'close', at }, { id: '3', event: 'close', at });
    await until('a trouble', () => troubles.length > 0);
    assert.match(troubles[0] ?? '', /does not answer/);
    await assert.rejects(searchIndexed(search, { limit: 1 }), { remedy: /--source spool/ });
    await server!.start();
    await until('the end of it', () => troubles.at(-1) === null);
    await until('the third record', async () => (await count()) === 3);
  } finally {
    stopping.abort();
    await shipped;
  }
});
