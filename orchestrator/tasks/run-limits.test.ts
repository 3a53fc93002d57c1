import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { TaskInput } from '../../protocol/task.ts';
import { SchedulingSettings } from '../config/scheduling-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { claimRun } from './claim.ts';
import { createTask } from './create.ts';
import { explainTask } from './explain.ts';
import { finishRun } from './finish.ts';
import { getTask } from './queries.ts';
import { limitsOf, type RunLimitSettings } from './run-limits.ts';
import { sweep } from './sweep.ts';
import { aProject, aTask, aWorker, POLICY, report, SETTINGS, SWEEP } from './testing/work.ts';

const limits = (more: Partial<RunLimitSettings>) => SchedulingSettings.parse({ limits: more });

const claimIn = async (db: Queryable, scheduling: SchedulingSettings, worker = 'w') =>
  await claimRun(db, { worker, claimId: randomUUID() }, { ...SETTINGS, scheduling });

async function give(db: Queryable, project: string, source: string, account: string | null = null) {
  const input = TaskInput.parse({ project, title: source });
  const from = { source, class: 'ticket', account } as const;
  return (await createTask(db, input, { actor: source, agent: 'command', model: null, from })).task;
}

test('a limit is the own one of a source or an account, else the one for each; what people give has the own one only', () => {
  const task = { project: 7, projectName: 'p', sourceName: 'jira', account: '4711', maxRuns: null };
  const { limits: settings } = limits({
    perSource: 5,
    perAccount: 2,
    perProject: 3,
    sources: { jira: 1, api: 9 },
  });
  const keys = (of: typeof task) => limitsOf(of, settings).map(({ key, limit }) => [key, limit]);
  assert.deepEqual(keys(task), [
    ['source:jira', 1],
    ['account:4711', 2],
    ['project:7', 3],
  ]);
  assert.deepEqual(keys({ ...task, sourceName: 'constructor' })[0], ['source:constructor', 5]);
  assert.deepEqual(keys({ ...task, sourceName: 'api' })[0], ['source:api', 9]);
  assert.deepEqual(
    limitsOf({ ...task, sourceName: 'api', account: null, maxRuns: 4 }, limits({ perSource: 5 }).limits).map(
      ({ limit }) => limit,
    ),
    [4],
  );
});

test('a task beyond a limit waits out of the way of others, says why, and goes on when a run ends', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool);
  for (const name of ['a', 'b']) await aProject(db.pool, name);
  const scheduling = limits({ perSource: 1 });
  const first = await give(db.pool, 'a', 'jira');
  const second = await give(db.pool, 'b', 'jira');
  const other = await give(db.pool, 'b', 'github');
  const order = (await claimIn(db.pool, scheduling))!;
  assert.equal(order.task.id, first.id);
  assert.equal((await claimIn(db.pool, scheduling))?.task.id, other.id);
  const waiting = await getTask(db.pool, second.id);
  assert.equal(waiting.pendingReason, 'limit');
  assert.match(
    waiting.reason!,
    /The one run that source jira may have at a time is at work \(scheduling\.limits\.perSource\)/,
  );
  const { waits } = await explainTask(db.pool, second.id, { ...SETTINGS, scheduling });
  assert.deepEqual(
    waits.map((wait) => [wait.for, wait.tasks]),
    [['limit', [first.id]]],
  );
  assert.equal((await sweep(db.pool, { ...SWEEP, scheduling })).held, 0);
  await finishRun(db.pool, order.run, report(order, { outcome: 'no-change' }), POLICY);
  assert.equal((await sweep(db.pool, { ...SWEEP, scheduling })).held, 1);
  assert.equal((await getTask(db.pool, second.id)).pendingReason, 'repository');
});

test('a limit that is taken away or raised holds nobody', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool);
  await aProject(db.pool, 'a', {}, ['x', 'y']);
  const scheduling = limits({ perProject: 1 });
  await aTask(db.pool, 'a', { repositories: ['x'] });
  const { id } = await aTask(db.pool, 'a', { repositories: ['y'] });
  await claimIn(db.pool, scheduling);
  assert.equal(await claimIn(db.pool, scheduling), null);
  assert.equal((await sweep(db.pool, { ...SWEEP, scheduling: limits({ perProject: 2 }) })).held, 1);
  assert.equal((await claimIn(db.pool, limits({})))?.task.id, id);
});

test('ten claimers at once never exceed the limits of a source and an account, and all tasks come to their end', async () => {
  await using db = await testDatabase({ poolSize: 10 });
  const scheduling = limits({ sources: { jira: 3 }, perAccount: 2 });
  for (let i = 0; i < 24; i++) {
    await aProject(db.pool, `p${i}`);
    await give(db.pool, `p${i}`, i % 4 === 0 ? 'github' : 'jira', String(i % 5));
  }
  let done = 0;
  const claimer = async (name: string) => {
    await aWorker(db.pool, name);
    while (done < 24) {
      const order = await claimIn(db.pool, scheduling, name);
      if (order === null) {
        await sweep(db.pool, { ...SWEEP, scheduling });
        continue;
      }
      const { rows } = await db.pool.query(
        `select source_name, account, (count(*) over (partition by source_name))::int as source, (count(*) over (partition by account))::int as account_runs
         from task where state = 'running'`,
      );
      for (const row of rows) {
        if (row.source_name === 'jira') assert.ok(row.source <= 3);
        assert.ok(row.account_runs <= 2);
      }
      await finishRun(db.pool, order.run, report(order, { outcome: 'no-change' }), POLICY);
      done++;
    }
  };
  await Promise.all(Array.from({ length: 10 }, async (_, i) => await claimer(`w${i}`)));
  const { rows } = await db.pool.query(`select count(*)::int as done from task where state = 'completed'`);
  assert.deepEqual(rows, [{ done: 24 }]);
});
