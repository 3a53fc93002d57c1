import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/support/database.ts';
import type { AtDeadline } from '../../protocol/scheduling.ts';
import { getDrain, startDrain, stopDrain } from './drain.ts';
import { readFlag } from './drain-files.ts';
import { drainKeeper } from './drain-keeper.ts';
import { finishRun } from './finish.ts';
import { heartbeat } from './lease.ts';
import { getRun, getTask } from './queries.ts';
import { aRun, claim, HEADS, POLICY, report, SETTINGS } from './testing/work.ts';

/** A directory with the two files of a deployment. */
function deployment(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-drain-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const flag = join(directory, 'IS_CONDUCTOR_SHUTTING_DOWN');
  return { directory, flag, ready: join(directory, 'CONDUCTOR_READY_FOR_SAFE_SHUTDOWN') };
}

/** A keeper as a daemon has it from its start on; `look` is one run of the chore. */
function keeper(db: TestDatabase, flagFile?: string, atDeadline: AtDeadline = 'wait') {
  const told: string[] = [];
  const say = (line: string) => void told.push(line);
  const { run } = drainKeeper({
    db: db.pool,
    settings: { deadlineMinutes: 60, atDeadline, flagFile },
    retries: POLICY,
    log: { info: say, warn: say },
  });
  return { told, look: async () => void (await run(new AbortController().signal)) };
}

const DRAIN = { deadlineMinutes: 60, atDeadline: 'wait' } as const;
const pastDeadline = (db: TestDatabase) => db.pool.query(`update drain set deadline = now()`);

test('what a flag file says: true or false in any dress, all else is unclear', async (t) => {
  const { directory, flag } = deployment(t);
  assert.equal(await readFlag(flag), false);
  for (const [content, says] of [
    ['true', true],
    [' TRUE \n', true],
    ['1', true],
    ['False\r\n', false],
    ['0', false],
  ] as const) {
    writeFileSync(flag, content);
    assert.equal(await readFlag(flag), says, content);
  }
  for (const content of ['', '\n', 'tru', 'yes', 'true\0', `${' '.repeat(100)}true`, '\xff\xfe']) {
    writeFileSync(flag, content);
    const said = await readFlag(flag);
    assert.ok(typeof said === 'object' && said.unclear.includes(flag), JSON.stringify(content));
  }
  rmSync(flag);
  mkdirSync(flag);
  assert.ok(typeof (await readFlag(flag)) === 'object', 'a directory');
  rmSync(flag, { recursive: true });
  symlinkSync(flag, flag);
  assert.ok(typeof (await readFlag(flag)) === 'object', 'a link to itself');
  assert.ok(typeof (await readFlag(join(directory, 'unmounted', 'flag'))) === 'object', 'no directory');
});

test('a flag that turns true drains, one that is half-written or unreadable changes nothing and is told once', async (t) => {
  await using db = await testDatabase();
  const { flag } = deployment(t);
  await aRun(db.pool);
  const { look, told } = keeper(db, flag);
  const state = async () => (await getDrain(db.pool)).state;
  writeFileSync(flag, 'tru');
  await look();
  await look();
  assert.equal(await state(), 'off');
  assert.match((await getDrain(db.pool)).trouble!, /"tru".*still holds/);
  assert.equal(told.length, 1);
  writeFileSync(flag, 'true');
  await look();
  assert.deepEqual([await state(), (await getDrain(db.pool)).trouble], ['draining', null]);
  writeFileSync(flag, '');
  await look();
  await look();
  assert.equal(await state(), 'draining');
  assert.equal(told.filter((line) => line.includes('empty')).length, 1);
  rmSync(flag);
  await look();
  assert.equal(await state(), 'off');
});

test('the ready file is there when no run is active, and taken back at the next start', async (t) => {
  await using db = await testDatabase();
  const { flag, ready } = deployment(t);
  writeFileSync(ready, 'of an earlier shutdown');
  writeFileSync(flag, 'true');
  const order = await aRun(db.pool);
  const first = keeper(db, flag);
  await first.look();
  assert.equal(existsSync(ready), false);
  await finishRun(db.pool, order.run, report(order, { outcome: 'verified', headCommits: HEADS }), POLICY);
  await first.look();
  assert.deepEqual([(await getRun(db.pool, order.run)).state, existsSync(ready)], ['submitting', false]);
  await db.pool.query(`update run set state = 'no-change'`);
  await first.look();
  assert.equal(existsSync(ready), true);
  assert.equal((await db.pool.query('select from drain where leave_at is not null')).rowCount, 1);

  rmSync(flag);
  await keeper(db, flag).look();
  assert.deepEqual([existsSync(ready), (await getDrain(db.pool)).state], [false, 'off']);
});

test('a ready file that cannot be written is told, and keeps the daemon', async (t) => {
  await using db = await testDatabase();
  const { flag, ready } = deployment(t);
  writeFileSync(flag, 'true');
  const { look } = keeper(db, flag);
  await look();
  rmSync(ready);
  mkdirSync(join(ready, 'in-the-way'), { recursive: true });
  await db.pool.query('update drain set leave_at = null');
  await look();
  assert.match((await getDrain(db.pool)).trouble!, /ready file .* cannot be written/);
  assert.equal((await db.pool.query('select from drain where leave_at is not null')).rowCount, 0);
  rmSync(ready, { recursive: true });
  await look();
  assert.equal((await getDrain(db.pool)).trouble, null);
});

test('a run that never ends: at the deadline it is waited for, ended, or left alone', async () => {
  for (const atDeadline of ['wait', 'cancel', 'stop'] as const) {
    await using db = await testDatabase();
    const order = await aRun(db.pool);
    const { look, told } = keeper(db);
    await startDrain(db.pool, { atDeadline }, DRAIN, 'ann');
    await look();
    assert.equal(told.length, 0);
    await pastDeadline(db);
    await look();
    await look();
    assert.equal(told.filter((line) => line.includes('time of the drain is over')).length, 1, atDeadline);
    const drain = await getDrain(db.pool);
    const leave = await db.pool.query('select from drain where leave_at is not null');
    assert.equal(drain.state, atDeadline === 'cancel' ? 'drained' : 'draining');
    assert.equal(leave.rowCount, atDeadline === 'stop' ? 1 : 0);
    if (atDeadline !== 'cancel') {
      await heartbeat(db.pool, order.run, order.fence, SETTINGS.lease);
      continue;
    }
    const run = await getRun(db.pool, order.run);
    assert.deepEqual([run.state, run.cause], ['cancelled', 'platform']);
    await assert.rejects(heartbeat(db.pool, order.run, order.fence, SETTINGS.lease), {
      code: 'ERR_STALE_FENCE',
    });
    assert.equal(await claim(db.pool), null);
    await stopDrain(db.pool, undefined);
    assert.equal((await claim(db.pool))?.run, '1-2');
    const { rows } = await db.pool.query('select retries from task');
    assert.deepEqual(rows[0].retries, {});
  }
});

test('somebody who cancelled a task has it cancelled, whatever the drain does', async () => {
  await using db = await testDatabase();
  await aRun(db.pool);
  await db.pool.query('update run set cancel_requested = true');
  await startDrain(db.pool, { atDeadline: 'cancel' }, DRAIN, 'ann');
  await pastDeadline(db);
  await keeper(db).look();
  assert.equal((await getTask(db.pool, 1)).state, 'cancelled');
});

test('what a killed daemon began goes on: the row stays, by flag and by verb alike', async (t) => {
  await using db = await testDatabase();
  const { flag } = deployment(t);
  await aRun(db.pool);
  writeFileSync(flag, 'true');
  await keeper(db, flag).look();
  const { begunAt, deadline } = await getDrain(db.pool);
  await startDrain(db.pool, {}, DRAIN, 'ann');
  rmSync(flag);
  await keeper(db, flag).look();
  const after = await getDrain(db.pool);
  assert.deepEqual([after.state, after.flagged, after.begunAt], ['draining', false, begunAt]);
  assert.notEqual(after.deadline, deadline);
});
