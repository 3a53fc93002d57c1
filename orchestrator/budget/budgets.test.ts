// Budgets are set, shown with what is spent of them, applied from a document, and told of when they are reached.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BudgetInput } from '../../protocol/budget.ts';
import { testDatabase } from '../../test/support/database.ts';
import { transaction } from '../db/connect.ts';
import { applyBudgets, listBudgets, removeBudget, setBudget } from './budgets.ts';
import { writeCharges } from './charge.ts';
import { tellBudgets } from './notices.ts';
import { BOOKS, charge, payers } from './testing/books.ts';

const daily = (amount: number): BudgetInput => ({
  scope: 'project',
  subject: 'shop',
  period: 'day',
  unit: 'money',
  amount,
});
const each: BudgetInput = { scope: 'run', subject: '*', period: 'total', unit: 'tokens', amount: 500 };

test('what is spent shows in each budget that it counts in, by its period and subject', async () => {
  await using db = await testDatabase();
  await setBudget(db.pool, daily(10_000), 'ann');
  await setBudget(db.pool, daily(9_000), 'ann');
  await setBudget(db.pool, each, 'ann');
  await transaction(
    db.pool,
    async (tx) =>
      await writeCharges(
        tx,
        [
          charge({ money: 3_000 }),
          charge({ money: 500 }),
          charge({ payers: payers({ run: '8-1', task: '8' }) }),
        ],
        BOOKS,
      ),
  );
  await db.pool.query(`insert into account_day values ('project', 'shop', current_date - 40, 777, 0, 0)`);
  const found = await listBudgets(db.pool, 'UTC');
  assert.deepEqual(
    found.map(({ scope, subject, amount, spent }) => ({ scope, subject, amount, spent })),
    [
      { scope: 'project', subject: 'shop', amount: 9_000, spent: 4_500 },
      { scope: 'run', subject: '*', amount: 500, spent: 220 },
    ],
  );
  await removeBudget(db.pool, found[0]!.id, 'ann');
  await assert.rejects(removeBudget(db.pool, found[0]!.id, 'ann'), { code: 'ERR_NOT_FOUND' });
});

test('a document is applied as a whole, or shown as a difference', async () => {
  await using db = await testDatabase();
  const apply = async (budgets: BudgetInput[], more = {}) =>
    await transaction(
      db.pool,
      async (tx) => await applyBudgets(tx, { budgets, prune: true, dryRun: false, ...more }, 'ann'),
    );
  const amounts = async () => (await listBudgets(db.pool, 'UTC')).map(({ amount }) => amount);
  assert.equal((await apply([daily(5), each], { dryRun: true })).length, 2);
  assert.deepEqual(await amounts(), []);
  await apply([daily(5), each]);
  assert.deepEqual(
    (await apply([daily(7)])).map(({ before, after }) => [before, after]),
    [
      [5, 7],
      [500, null],
    ],
  );
  assert.deepEqual(await amounts(), [7]);
  assert.deepEqual(await apply([daily(7)]), []);
  await assert.rejects(apply([daily(1), daily(2)]), /two budgets for money of project shop, by day/);
  assert.deepEqual(await amounts(), [7]);
});

test('80 and 100 % are told once each', async () => {
  await using db = await testDatabase();
  await setBudget(db.pool, daily(1_000), 'ann');
  const spend = async (money: number) =>
    await transaction(db.pool, async (tx) => await writeCharges(tx, [charge({ money })], BOOKS));
  await spend(799);
  assert.equal(await tellBudgets(db.pool, 'UTC'), 0);
  await spend(1);
  assert.equal(await tellBudgets(db.pool, 'UTC'), 1);
  assert.equal(await tellBudgets(db.pool, 'UTC'), 0);
  await spend(5_000);
  assert.equal(await tellBudgets(db.pool, 'UTC'), 1);
  const { rows } = await db.pool.query(
    `select (data->>'level')::int as level, data->>'subject' as subject from event where kind = 'budget.reached' order by id`,
  );
  assert.deepEqual(rows, [
    { level: 80, subject: 'shop' },
    { level: 100, subject: 'shop' },
  ]);
});

test('a budget for all tells of each of them, but for those with a budget of their own', async () => {
  await using db = await testDatabase();
  await setBudget(db.pool, each, 'ann');
  await setBudget(db.pool, { ...each, subject: '7-3', amount: 10_000 }, 'ann');
  const tokens = { input: 440, cached: 0, output: 10, reasoning: 0 };
  await transaction(db.pool, async (tx) => {
    for (const run of ['7-1', '7-2', '7-3'])
      await writeCharges(tx, [charge({ payers: payers({ run }), tokens })], BOOKS);
  });
  assert.equal(await tellBudgets(db.pool, 'UTC'), 2);
  assert.equal(await tellBudgets(db.pool, 'UTC'), 0);
  await setBudget(db.pool, { ...each, amount: 520 }, 'ann');
  assert.equal(await tellBudgets(db.pool, 'UTC'), 2, 'the new amount is told of again');
  const { rows } = await db.pool.query(
    `select data->>'subject' as subject from event where kind = 'budget.reached' order by id`,
  );
  assert.deepEqual(
    rows.map(({ subject }) => subject),
    ['7-1', '7-2', '7-1', '7-2'],
  );
  const [all] = (await listBudgets(db.pool, 'UTC')).filter(({ subject }) => subject === '*');
  await transaction(db.pool, async (tx) => {
    await writeCharges(tx, [charge({ payers: payers({ run: '7-3' }), tokens })], BOOKS);
  });
  const [same] = (await listBudgets(db.pool, 'UTC')).filter(({ subject }) => subject === '*');
  assert.deepEqual([same?.spent, all?.spent], [450, 450]);
});
