// The keeper against a proxy's end of the line: what it says, and what it makes of what it hears.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { testDatabase } from '../../../test/support/database.ts';
import { transaction } from '../../db/connect.ts';
import { stopListening } from '../../db/notifications.ts';
import { liveRun } from '../../gateway/testing/live-run.ts';
import { bind, unbind } from '../bindings/store.ts';
import { fileSecrets } from '../file.ts';
import { keepLeases } from './keeper.ts';
import type { Lent } from './proxy-line.ts';
import { announceWritten, listLeases } from './store.ts';

const NPM = {
  secret: 'npm',
  project: null,
  rule: 'allow host=a.example',
  plain: false,
  place: 'bearer',
  variable: 'T',
};

async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  for (const giveUp = performance.now() + 60_000; ; await delay(20)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > giveUp) throw new Error(`${what} did not come about`);
  }
}

/** A proxy's end: the last thing that it was told, and what it tells. */
async function listen(socket: string) {
  const heard: (Lent & { heard?: string[] })[] = [];
  let near: net.Socket | undefined;
  const server = net.createServer((connection) => {
    near = connection.on('error', () => {});
    createInterface({ input: connection }).on('line', (line) => heard.push(JSON.parse(line)));
  });
  server.listen(socket);
  await once(server, 'listening');
  return {
    last: () => heard.findLast((each) => each.heard === undefined),
    answers: () => heard.flatMap((each) => each.heard ?? []),
    tell: (document: object) => near?.write(`${JSON.stringify(document)}\n`),
    async close() {
      near?.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function setUp(t: TestContext) {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-keeper-'));
  const database = await testDatabase();
  const db = database.pool;
  const secrets = fileSecrets(path.join(directory, 'secrets'));
  const socket = path.join(directory, 'egress.sock');
  const keep = async () =>
    await keepLeases({
      db,
      secrets,
      serverKey: Buffer.alloc(32, 7),
      socket,
      known: () => [{ name: 'configured', value: 'c0nfigured-value' }],
      failed: (error) => console.error(error),
      readMs: 200,
    });
  const proxy = await listen(socket);
  let leases = await keep();
  t.after(async () => {
    await leases.stop();
    await proxy.close();
    await stopListening(db);
    await database[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    db,
    secrets,
    proxy,
    socket,
    again: async () => {
      await leases.stop();
      leases = await keep();
    },
  };
}

test('a live run has what is bound lent, as long as it is bound, kept and fit to be watched for', async (t) => {
  const { db, secrets, proxy } = await setUp(t);
  await secrets.put('npm', 'npm-value-1');
  const { run } = await liveRun(db);
  const binding = await transaction(db, async (tx) => await bind(tx, NPM, 'test'));
  const lease = () => proxy.last()?.leases[0];
  const lent = await until('the lease', () => lease());
  assert.deepEqual([lent.run, lent.secret, lent.values, lent.trouble], [run, 'npm', ['npm-value-1'], null]);
  assert.ok(lent.seconds > 200 && lent.seconds <= 300);
  const watched = await until(
    'both',
    () => Object.keys(proxy.last()?.watched ?? {}).length === 2 && proxy.last()?.watched,
  );
  assert.deepEqual(watched, { configured: ['c0nfigured-value'], npm: ['npm-value-1'] });

  await secrets.put('npm', 'npm-value-2');
  await announceWritten(db, 'npm');
  assert.deepEqual((await until('the next', () => lease()?.values.length === 2 && lease()))?.values, [
    'npm-value-2',
    'npm-value-1',
  ]);
  await secrets.put('npm', 'word');
  await announceWritten(db, 'npm');
  const unfit = await until('the trouble', () => lease()?.trouble !== null && lease());
  assert.match(unfit.trouble ?? '', /it cannot be watched for: it has less than 8 characters/);
  assert.equal(unfit.seconds, 0);
  await secrets.put('npm', 'npm-value-3');
  await announceWritten(db, 'npm');
  await until('it again', () => lease()?.trouble === null);
  await secrets.delete('npm');
  await announceWritten(db, 'npm');
  const gone = await until('its end', () => lease()?.trouble !== null && lease());
  assert.deepEqual([gone.trouble, gone.seconds], ['there is no secret named npm', 0]);
  assert.equal(
    (await listLeases(db, { run, all: false, limit: 9 }))[0]?.trouble,
    'there is no secret named npm',
  );

  await transaction(db, async (tx) => await unbind(tx, binding.id, 'test'));
  await until('nothing', () => proxy.last()?.leases.length === 0);
  assert.ok((await listLeases(db, { run, all: true, limit: 9 }))[0]?.endedAt);
});

test('a misuse that is told twice is one event, and is answered each time', async (t) => {
  const { db, proxy } = await setUp(t);
  const { run } = await liveRun(db);
  await until('the line', () => proxy.last());
  const misuse = {
    run,
    worker: 'w',
    secret: 'npm',
    kind: 'value',
    place: 'the body',
    method: 'GET',
    host: 'a.example',
  };
  proxy.tell({ misused: { 'id-1': misuse } });
  await until('an answer', () => proxy.answers().length === 1);
  proxy.tell({ misused: { 'id-1': misuse, 'id-2': { ...misuse, run: null } } });
  await until('all answers', () => proxy.answers().length === 3);
  const { rows } = await db.query(`select run, data from event where kind = 'secret.misused' order by id`);
  assert.deepEqual(
    rows.map(({ run: of, data }) => [of, data.request, data.secret, data.place]),
    [
      [run, 'id-1', 'npm', 'the body'],
      [null, 'id-2', 'npm', 'the body'],
    ],
  );
});

test('leases of runs that ended while nobody looked are ended at the next start', async (t) => {
  const { db, secrets, proxy, again } = await setUp(t);
  await secrets.put('npm', 'npm-value-1');
  const { run } = await liveRun(db);
  await transaction(db, async (tx) => await bind(tx, NPM, 'test'));
  await until('the lease', () => proxy.last()?.leases[0]);
  await db.query(`update run set state = 'failed', cause = 'agent', finished_at = now() where id = $1`, [
    run,
  ]);
  await again();
  await until(
    'its end',
    async () => (await listLeases(db, { run, all: true, limit: 9 }))[0]?.endedAt ?? false,
  );
  await until('the word', () => proxy.last()?.leases.length === 0);
});
