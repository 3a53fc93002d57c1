// A task begins only when all who would pay for it have something left; until then it waits, and is nobody in the way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Task } from '../../protocol/task.ts';
import { setBudget, type BudgetInput } from '../budget/budgets.ts';
import type { Queryable } from '../db/connect.ts';
import { settledEvents } from '../events/testing/settled.ts';
import { setWorkerBudget } from '../budget/worker-budget.ts';
import { finishRun } from './finish.ts';
import { budgetsChanged } from './funds.ts';
import { getTask } from './queries.ts';
import { sweep } from './sweep.ts';
import { aProject, aRun, aTask, aWorker, claim, POLICY, report, SWEEP } from './testing/work.ts';

const stateOf = ({ state, pendingReason }: Task) =>
  pendingReason === null ? state : `${state}(${pendingReason})`;

async function budget(db: Queryable, of: Partial<BudgetInput> = {}): Promise<void> {
  const all = { scope: 'project', subject: 'p', period: 'day', unit: 'money', amount: 1_000_000 } as const;
  await setBudget(db, { ...all, ...of }, 'ann');
}

async function spend(db: Queryable, scope: string, subject: string, money: number): Promise<void> {
  await db.query(
    `insert into account_day (scope, subject, day, money) values ($1, $2, (now() at time zone 'UTC')::date, $3)
     on conflict (scope, subject, day) do update set money = account_day.money + excluded.money`,
    [scope, subject, money],
  );
}

test('a task without funds lets another project and another agent pass, and says why it waits', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool, 'w', 10, ['qwen-coder']);
  await aProject(db.pool, 'p');
  await aProject(db.pool, 'other');
  await budget(db.pool);
  await spend(db.pool, 'project', 'p', 1_000_000);
  const [first, second] = [await aTask(db.pool), await aTask(db.pool)];
  await aTask(db.pool, 'other');
  assert.equal((await claim(db.pool))?.project.name, 'other');
  for (const { id } of [first, second]) {
    const task = await getTask(db.pool, id);
    assert.equal(stateOf(task), 'pending(budget)');
    assert.equal(
      task.reason,
      'The budget of project p (1.00 EUR a day) is used up. Raise it with `autocode budget set`, or wait for the next day.',
    );
  }
  const moves = await settledEvents(db.pool, { kinds: ['task.state'], task: first.id });
  assert.deepEqual(
    moves.map(({ data }) => data.pendingReason ?? data.to),
    ['queued', 'budget'],
  );
});

const SCOPES: [of: Partial<BudgetInput>, spender: string | null][] = [
  [{ scope: 'appliance', subject: '' }, ''],
  [{ scope: 'project', subject: '*' }, 'p'],
  [{ scope: 'agent', subject: 'command' }, 'command'],
  [{ scope: 'person', subject: 'ann' }, 'ann'],
  [{ scope: 'task', subject: '1', period: 'total' }, '1'],
  [{ scope: 'run', subject: '*', amount: 0 }, null],
];
for (const [of, spender] of SCOPES) {
  test(`the budget of ${of.scope} ${of.subject} keeps a task back, and lets it go when it is raised`, async () => {
    await using db = await testDatabase();
    await aWorker(db.pool);
    await aProject(db.pool);
    await budget(db.pool, of);
    if (spender !== null) await spend(db.pool, of.scope!, spender, 1_000_000);
    const { id } = await aTask(db.pool);
    assert.equal(await claim(db.pool), null);
    assert.equal(stateOf(await getTask(db.pool, id)), 'pending(budget)');
    assert.equal((await sweep(db.pool, SWEEP)).funded, 0);
    await budget(db.pool, { ...of, amount: 2_000_000 });
    await budgetsChanged(db.pool, 'UTC');
    assert.equal(stateOf(await getTask(db.pool, id)), 'queued');
    assert.equal((await claim(db.pool))?.task.id, id);
  });
}

test('a new day, a slab that is given back and a budget that is gone bring a task back with the next sweep', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool);
  await aProject(db.pool);
  await aTask(db.pool);
  const waitsUntil = async (change: string) => {
    assert.equal(await claim(db.pool), null);
    assert.equal(stateOf(await getTask(db.pool, 1)), 'pending(budget)');
    await db.pool.query(change);
    assert.equal((await sweep(db.pool, SWEEP)).funded, 1);
  };
  await budget(db.pool);
  await spend(db.pool, 'project', 'p', 1_000_000);
  await waitsUntil(`update account_day set day = day - 1`);
  await db.pool.query(`insert into account (scope, subject, money) values ('project', 'p', 1000000)`);
  assert.equal(await claim(db.pool), null);
  assert.match((await getTask(db.pool, 1)).reason ?? '', /is all reserved by calls under way/);
  await waitsUntil(`update account set money = 0`);
  await spend(db.pool, 'project', 'p', 1_000_000);
  await waitsUntil(`delete from budget`);
  assert.equal((await claim(db.pool))?.task.id, 1);
});

test('a worker whose own budget is used up takes nothing, and its tasks are for others', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool, 'poor');
  await aWorker(db.pool, 'rich');
  await aProject(db.pool);
  await aTask(db.pool);
  await setWorkerBudget(db.pool, 'poor', 500);
  await spend(db.pool, 'worker', 'poor', 500);
  assert.equal(await claim(db.pool, 'poor'), null);
  assert.equal(stateOf(await getTask(db.pool, 1)), 'queued');
  assert.equal((await claim(db.pool, 'rich'))?.task.id, 1);
});

test('a hundred tasks without funds do not keep the next one from beginning', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool);
  await aProject(db.pool, 'p');
  await aProject(db.pool, 'other');
  await budget(db.pool, { amount: 0 });
  for (let task = 0; task < 120; task++) await aTask(db.pool, 'p', { priority: 1 });
  await aTask(db.pool, 'other');
  assert.equal(await claim(db.pool), null, 'one claim looks at so many only');
  assert.equal((await claim(db.pool))?.project.name, 'other');
});

test('what does not do for one call is tried a quarter of an hour later, or when budgets are set', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await finishRun(
    db.pool,
    order.run,
    report(order, { outcome: 'out-of-budget', reason: 'too little' }),
    POLICY,
  );
  assert.equal(stateOf(await getTask(db.pool, 1)), 'pending(budget)');
  assert.equal((await sweep(db.pool, SWEEP)).funded, 0);
  await db.pool.query(`update task set not_before = not_before - interval '15 minutes'`);
  assert.equal((await sweep(db.pool, SWEEP)).funded, 1);
  const again = (await claim(db.pool))!;
  await finishRun(db.pool, again.run, report(again, { outcome: 'out-of-budget' }), POLICY);
  await budgetsChanged(db.pool, 'UTC');
  assert.equal(stateOf(await getTask(db.pool, 1)), 'queued');
});
