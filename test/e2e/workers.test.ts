// Many tasks at once: two workers on one appliance, and another appliance beside it on the same machine.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, test } from 'node:test';
import { eventually, OWN_POSTGRES, startAppliance } from './appliance.ts';
import { completedOnce, nothingLeft, query } from './faults/invariants.ts';

const AUTOCODE = path.join(import.meta.dirname, '../../autocode');
const REPOSITORIES = 8;
const TASKS = 24;
const AGENT = `cat > /dev/null; echo 42 > answer`;

const [one, other] = await Promise.all([
  startAppliance(OWN_POSTGRES, 'worker.concurrency=3', 'worker.name=first'),
  startAppliance(OWN_POSTGRES, 'worker.concurrency=1'),
]);
after(() => Promise.all([one[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]));

test(
  `${TASKS} tasks over ${REPOSITORIES} repositories end once each, on two workers, beside another appliance`,
  { timeout: 280_000 },
  async (t) => {
    const flags = [
      '--name',
      'second',
      '--concurrency',
      '3',
      '--state-dir',
      path.join(one.directory, 'second'),
      '--set',
      `dataDir=${one.dataDir}`,
    ];
    const second = spawn(AUTOCODE, ['worker', 'start', ...flags], { stdio: 'ignore' });
    const ended = once(second, 'exit');
    try {
      await eventually(
        async () => ((await one.api<unknown[]>('GET', '/workers')).length === 2 ? true : undefined),
        'both workers to register',
      );
      const beside = await other.project('beside', { agent: AGENT });
      const besideTask = await other.task('beside');
      const origins: string[] = [];
      for (let i = 0; i < REPOSITORIES; i++)
        origins.push(await one.project(`repository-${i}`, { agent: AGENT }));
      const started = performance.now();
      const tasks = await Promise.all(
        Array.from({ length: TASKS }, async (_, i) => await one.task(`repository-${i % REPOSITORIES}`)),
      );
      await eventually(
        async () => {
          const [row] = await query<{ left: number }>(
            one,
            'select count(*)::int as left from task where finished_at is null',
          );
          return row?.left === 0 || undefined;
        },
        'all tasks to end',
        240_000,
      );
      t.diagnostic(`${TASKS} tasks in ${((performance.now() - started) / 1000).toFixed(0)} s`);
      for (const [i, task] of tasks.entries())
        await completedOnce({ dataDir: one.dataDir, kept: '' }, task, origins[i % REPOSITORIES]!);
      const shares = await query<{ worker: string; runs: number }>(
        one,
        'select worker, count(*)::int as runs from run group by worker order by worker',
      );
      assert.deepEqual(
        shares.map(({ worker }) => worker),
        ['first', 'second'],
      );
      assert.equal(
        shares.reduce((sum, { runs }) => sum + runs, 0),
        TASKS,
        'one run a task',
      );
      t.diagnostic(shares.map(({ worker, runs }) => `${worker}: ${runs}`).join(', '));
      await other.ended(besideTask);
      await completedOnce({ dataDir: other.dataDir, kept: '' }, besideTask, beside);
      const clear = async () => await nothingLeft({ dataDir: one.dataDir, kept: '' });
      await eventually(
        async () =>
          await clear().then(
            () => true,
            () => undefined,
          ),
        'everything to be cleared away',
        20_000,
      ).catch(clear);
    } finally {
      second.kill('SIGTERM');
      await ended;
    }
  },
);
