import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Queryable } from '../db/connect.ts';
import { stopListening } from '../db/notifications.ts';
import { redactor } from '../redaction/redactor.ts';
import { followLog } from './follow-log.ts';
import { logFile, LogStore, streamState } from './log-store.ts';

const directory = await mkdtemp(path.join(tmpdir(), 'autocode-logs-'));
after(() => rm(directory, { recursive: true }));

/** A run with one open stream, and the way to append to it. */
async function liveRun(db: Queryable, run: string) {
  const task = Number(run.split('-')[0]);
  await db.query(`insert into project (id, name) overriding system value values ($1, 'p' || $2::text)`, [
    task,
    run,
  ]);
  await db.query(
    `insert into task (id, project, title, body, agent, model, state, order_key, created_by, attempt)
     overriding system value values ($1, $1, 't', '', 'command', '', 'running', now(), 'test', 1)`,
    [task],
  );
  await db.query(
    `insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline)
     values ($1, $2, 1, 'working', 'w', gen_random_uuid(), 'command', '', 'directory', now() + interval '1 hour')`,
    [run, task],
  );
  await db.query(`insert into log_stream (run, stream) values ($1, 'events')`, [run]);
  const store = new LogStore(directory);
  const append = (offset: number, text: string, fence = 1) =>
    store.append(db, { run, fence, stream: 'events', offset, bytes: Buffer.from(text) });
  return { store, append, text: () => readFile(logFile(directory, run, 'events'), 'utf8') };
}

test('batches are appended, a repeated one is a no-op, an overlapping one adds what is new', async () => {
  await using db = await testDatabase();
  const { append, text } = await liveRun(db.pool, '1-1');
  assert.deepEqual(await append(0, 'hello '), { bytes: 6 });
  assert.deepEqual(await append(0, 'hello '), { bytes: 6 });
  assert.deepEqual(await append(3, 'lo world'), { bytes: 11 });
  assert.equal(await text(), 'hello world');
});

test('a gap is refused and says where to go on', async () => {
  await using db = await testDatabase();
  const { append } = await liveRun(db.pool, '2-1');
  await append(0, 'abc');
  await assert.rejects(append(9, 'x'), { code: 'ERR_LOG_GAP', details: { bytes: 3 } });
});

test('bytes that a crash left on disk without acknowledgement are overwritten', async () => {
  await using db = await testDatabase();
  const { append, text } = await liveRun(db.pool, '3-1');
  await append(0, 'abc');
  await appendFile(logFile(directory, '3-1', 'events'), 'torn write');
  const afterCrash = new LogStore(directory);
  await afterCrash.append(db.pool, {
    run: '3-1',
    fence: 1,
    stream: 'events',
    offset: 3,
    bytes: Buffer.from('def'),
  });
  assert.equal(await text(), 'abcdef');
});

test('batches of one stream that come at once end up in order, whole', async () => {
  await using db = await testDatabase();
  const { append, text } = await liveRun(db.pool, '4-1');
  await Promise.all(Array.from({ length: 50 }, (_, i) => append(i * 2, String(i % 10).repeat(2))));
  assert.equal(await text(), Array.from({ length: 50 }, (_, i) => String(i % 10).repeat(2)).join(''));
});

test('a stale fence and a complete stream take nothing more', async () => {
  await using db = await testDatabase();
  const { append } = await liveRun(db.pool, '5-1');
  await assert.rejects(append(0, 'x', 2), { code: 'ERR_STALE_FENCE' });
  await db.pool.query(`update log_stream set state = 'complete'`);
  await assert.rejects(append(0, 'x'), { code: 'ERR_STALE_FENCE' });
});

test('a stream that ends while it grows takes nothing more, and what came too late is not its own', async () => {
  await using db = await testDatabase();
  const { append, store } = await liveRun(db.pool, '8-1');
  await append(0, 'abc');
  await db.pool.query(`update log_stream set state = 'complete'`);
  await assert.rejects(append(3, 'too late'), { code: 'ERR_STALE_FENCE' });
  const { bytes } = (await streamState(db.pool, '8-1', 'events'))!;
  assert.equal(await store.digest('8-1', 'events', bytes), createHash('sha256').update('abc').digest('hex'));
});

test('the growth of many streams at once is recorded for each that may grow', async () => {
  await using db = await testDatabase();
  const runs = await Promise.all(
    ['11-1', '12-1', '13-1', '14-1'].map(async (run) => await liveRun(db.pool, run)),
  );
  for (const { append } of runs) await append(0, 'first ');
  await db.pool.query(`update log_stream set state = 'complete' where run = '13-1'`);
  const ended = await Promise.allSettled(runs.map(async ({ append }) => await append(6, 'second')));
  assert.deepEqual(
    ended.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  );
  const { rows } = await db.pool.query('select bytes from log_stream order by run');
  assert.deepEqual(
    rows.map(({ bytes }) => bytes),
    [12, 12, 6, 12],
  );
});

test('a lost run still takes the tail that its worker has', async () => {
  await using db = await testDatabase();
  const { append } = await liveRun(db.pool, '6-1');
  await append(0, 'head ');
  await db.pool.query(`update log_stream set state = 'truncated'`);
  await assert.rejects(append(5, 'tail'), { code: 'ERR_STALE_FENCE' });
  await db.pool.query(`update run set state = 'lost'`);
  assert.deepEqual(await append(5, 'tail'), { bytes: 9 });
});

test('a follower gets every byte once, as it is written, and ends with the stream', async () => {
  await using db = await testDatabase();
  const { append, store } = await liveRun(db.pool, '7-1');
  await append(0, 'first\n');
  const seen: string[] = [];
  const follower = (async () => {
    const pieces = followLog(
      { db: db.pool, logs: store },
      { run: '7-1', stream: 'events', from: 0, signal: AbortSignal.timeout(10_000) },
    );
    for await (const { offset, bytes } of pieces) seen.push(`${offset}:${bytes.toString()}`);
  })();
  await append(6, 'second\n');
  await append(13, 'third\n');
  await db.pool.query(`update log_stream set state = 'complete'`);
  await db.pool.query(`select pg_notify('log', '7-1/events')`);
  await follower;
  await stopListening(db.pool);
  assert.equal(seen.map((piece) => piece.slice(piece.indexOf(':') + 1)).join(''), 'first\nsecond\nthird\n');
  assert.equal((await streamState(db.pool, '7-1', 'events'))?.bytes, 19);
});

test('a secret is masked before it is kept, also when two batches share it; what is masked is counted', async () => {
  await using db = await testDatabase();
  const value = 'canary-0815 (sings)';
  const live = redactor([{ name: 'canary', value }]);
  const { text } = await liveRun(db.pool, '15-1');
  const store = new LogStore(directory, () => live);
  const append = async (offset: number, bytes: string) =>
    await store.append(db.pool, {
      run: '15-1',
      fence: 1,
      stream: 'events',
      offset,
      bytes: Buffer.from(bytes),
    });
  assert.deepEqual(await append(0, `it is ${value.slice(0, 8)}`), { bytes: 6 });
  assert.deepEqual(await append(6, `${value}, and ${value.slice(0, 8)}`), { bytes: 31 });
  assert.equal(await text(), `it is ${'*'.repeat(value.length)}, and `);
  assert.equal((await streamState(db.pool, '15-1', 'events'))?.redacted, value.length);
  // Nothing follows: given often enough, it is taken, masked.
  let have = 31;
  while (have === 31) have = (await append(31, value.slice(0, 8))).bytes;
  assert.equal(have, 39);
  assert.equal(await text(), `it is ${'*'.repeat(value.length)}, and ${'*'.repeat(8)}`);
  await append(39, `${value.slice(8)} it was`);
  assert.equal(await text(), `it is ${'*'.repeat(value.length)}, and ${'*'.repeat(value.length)} it was`);
});
