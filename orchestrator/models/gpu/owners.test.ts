import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { testDatabase } from '../../../test/support/database.ts';
import { belongsTo, expectedMib } from './owners.ts';

test('a process is ours by itself, its group, or those that started it', () => {
  const table: Record<number, string> = {
    10: '10 (vllm) S 1 10 10',
    11: '11 (python3 (worker) 1) S 10 10 10',
    12: '12 (ray::) S 11 12 12',
    20: '20 (a stranger) S 1 20 20',
    21: '21 (its child) S 20 20 20',
  };
  const isOurs = belongsTo(new Set([10]), (pid) => table[pid] ?? null);
  assert.deepEqual([10, 11, 12, 20, 21, 99].map(isOurs), [true, true, true, false, false, false]);
});

test('real processes: a child is ours, this process is not its child', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  assert.equal(belongsTo(new Set([process.pid]))(child.pid!), true);
  assert.equal(belongsTo(new Set([child.pid!]))(process.pid), false);
  child.kill('SIGKILL');
  await once(child, 'exit');
});

test('what engines were given counts as ours where no process tells: of all, or of those without a process of ours', async () => {
  await using db = await testDatabase();
  await db.pool.query(
    `insert into engine_instance (launch, model, kind, state, gpus, predicted_mib, reported_mib, handle) values
       (gen_random_uuid(), 'a', 'vllm', 'ready', '[0,1]', 18000, 20000, '{"pid": 7}'),
       (gen_random_uuid(), 'b', 'ray-serve', 'loading', '[1]', 3000, null, '{}'),
       (gen_random_uuid(), 'c', 'vllm', 'asleep', '[1]', 9000, null, '{}'),
       (gen_random_uuid(), 'd', 'vllm', 'stopped', '[0]', 9000, null, '{}')`,
  );
  assert.deepEqual(
    await expectedMib(db.pool, false),
    new Map([
      [0, 20_000],
      [1, 23_000],
    ]),
  );
  assert.deepEqual(await expectedMib(db.pool, true), new Map([[1, 3_000]]));
});
