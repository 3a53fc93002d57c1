// No interleaving of calls, releases and crashes spends more than a budget allows, and nothing stays held.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../test/support/database.ts';
import type { Queryable } from '../db/connect.ts';
import { NO_AMOUNTS } from './amounts.ts';
import { chargeWriter } from './charge-writer.ts';
import type { Charge } from './charge.ts';
import { verifyLedger } from './ledger.ts';
import { budgetsOf } from './limits.ts';
import { openPurses } from './purses.ts';
import { sweepSlabs } from './sweep.ts';
import { finishRun } from '../tasks/finish.ts';
import { aRun, POLICY, report } from '../tasks/testing/work.ts';
import { BOOKS, budget, charge, payers } from './testing/books.ts';

const all = async (_: Queryable, calls: Charge[]) => new Set(calls.map(({ id }) => id));
const money = (amount: number) => ({ ...NO_AMOUNTS, money: amount });

test('writers who charge the same accounts and slabs at the same time lose nothing of each other', async () => {
  await using db = await testDatabase();
  await budget(db.pool, ['project', 'shop'], 'day', 'money', 1_000_000);
  const purses = openPurses(db.pool, 'UTC');
  const admissions = await Promise.all(
    ['1-1', '2-1'].map(async (run) => await purses.admit(run, payers({ run }), money(300), money(300))),
  );
  const slabs = admissions.map((admission) => ('hold' in admission ? admission.hold.slab : ''));
  const writers = Array.from({ length: 4 }, () => chargeWriter({ db: db.pool, books: BOOKS, insert: all }));
  const { tokens } = charge();
  for (let round = 0; round < 10; round++) {
    await Promise.all(
      writers.flatMap((writer) =>
        slabs.map(
          async (slab, index) =>
            await writer.write(
              charge({ slab, payers: payers({ run: `${index + 1}-1` }), money: 10, tokens, gpu: 0 }),
            ),
        ),
      ),
    );
  }
  const [state] = await budgetsOf(db.pool, payers(), 'UTC');
  assert.equal(state?.spent, 800);
  const { rows } = await db.pool.query<{ left: number; held: number }>(
    `select sum(money)::float8 as left, (select money::float8 from account where scope = 'project' and subject = 'shop') as held from slab`,
  );
  assert.equal(rows[0]?.left, rows[0]?.held);
  await purses.close();
  assert.equal((await budgetsOf(db.pool, payers(), 'UTC'))[0]?.held, 0);
});

test('of a thousand calls at once, a budget lets as many pass as it pays for', async () => {
  await using db = await testDatabase();
  await budget(db.pool, ['project', 'shop'], 'day', 'money', 37 * 1_000 + 999);
  const purses = openPurses(db.pool, 'UTC');
  const writer = chargeWriter({ db: db.pool, books: BOOKS, insert: all });
  const calls = Array.from({ length: 1_000 }, async (_, index) => {
    const run = `${index % 140}-1`;
    const who = payers({ run, task: String(index % 140) });
    const admission = await purses.admit(run, who, money(1_000), money(1_000));
    if ('refused' in admission) {
      assert.deepEqual([admission.refused.scope, admission.refused.subject], ['project', 'shop']);
      return 0;
    }
    const { hold } = admission;
    await writer.write(
      charge({ slab: hold.slab, payers: who, money: 1_000, tokens: { ...charge().tokens } }),
    );
    hold.settle(money(1_000));
    return 1;
  });
  const passed = (await Promise.all(calls)).reduce<number>((sum, one) => sum + one, 0);
  assert.ok(passed <= 37 && passed >= 30, `${passed} passed`);
  const before = await budgetsOf(db.pool, payers(), 'UTC');
  assert.equal(before[0]?.spent, passed * 1_000);
  await purses.close();
  const [state] = await budgetsOf(db.pool, payers(), 'UTC');
  assert.deepEqual([state?.spent, state?.held], [passed * 1_000, 0]);
  // What nobody drew is free again.
  const again = await openPurses(db.pool, 'UTC').admit(
    '200-1',
    payers({ run: '200-1' }),
    money(1_000),
    money(1_000),
  );
  assert.equal('hold' in again, passed < 37);
  assert.equal((await verifyLedger(db.pool)).entries, passed);
});

test('where only a part is left, a call that can do with it gets it', async () => {
  await using db = await testDatabase();
  await budget(db.pool, ['run', '*'], 'total', 'money', 1_500);
  const purses = openPurses(db.pool, 'UTC');
  const first = await purses.admit('7-1', payers(), money(1_000), money(200));
  assert.ok('hold' in first);
  const second = await purses.admit('7-1', payers(), money(1_000), money(200));
  assert.ok('hold' in second);
  assert.equal(second.hold.amounts.money, 500);
  const third = await purses.admit('7-1', payers(), money(1_000), money(200));
  assert.ok('refused' in third);
  assert.deepEqual([third.refused.scope, third.refused.subject, third.refused.amount], ['run', '7-1', 1_500]);
  const other = await purses.admit('8-1', payers({ run: '8-1', task: '8' }), money(1_000), money(1_000));
  assert.ok('hold' in other, 'the budget of each run is its own');
  first.hold.settle(money(300));
  assert.ok('hold' in (await purses.admit('7-1', payers(), money(700), money(700))));
});

test('a killed gateway leaves slabs that are charged once, and marked', async () => {
  await using db = await testDatabase();
  await budget(db.pool, ['appliance', ''], 'month', 'money', 10_000);
  const killed = openPurses(db.pool, 'UTC');
  await killed.admit('7-1', payers(), money(2_000), money(2_000));
  assert.equal(await sweepSlabs(db.pool, BOOKS, 30), 0, 'it was renewed a moment ago');
  await Promise.all([sweepSlabs(db.pool, BOOKS, -1), sweepSlabs(db.pool, BOOKS, -1)]);
  const [state] = await budgetsOf(db.pool, payers(), 'UTC');
  assert.deepEqual([state?.spent, state?.held], [4_000, 0]);
  const { rows } = await db.pool.query(`select kind, debit, amount from ledger_entry`);
  assert.deepEqual(rows, [{ kind: 'swept', debit: 'project:shop', amount: 4_000 }]);
  // A gateway that was only slow goes on with a new slab.
  assert.ok('hold' in (await killed.admit('7-1', payers(), money(3_000), money(3_000))));
});

test('whatever happens in whatever order, budgets hold and accounts add up', async () => {
  await using db = await testDatabase();
  const step = fc.record({
    run: fc.integer({ min: 1, max: 4 }),
    want: fc.integer({ min: 1, max: 900 }),
    cost: fc.double({ min: 0, max: 1, noNaN: true }),
    end: fc.constantFrom('settle', 'settle', 'settle', 'keep', 'crash'),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 0, max: 6_000 }),
      async (steps, cap) => {
        await db.pool.query(`truncate budget, account, account_day, slab, usage_day cascade`);
        await budget(db.pool, ['appliance', ''], 'day', 'money', cap);
        await budget(db.pool, ['run', '*'], 'total', 'money', 2_000);
        let purses = openPurses(db.pool, 'UTC');
        const writer = chargeWriter({ db: db.pool, books: BOOKS, insert: all });
        const kept: (() => void)[] = [];
        await Promise.all(
          steps.map(async ({ run, want, cost, end }) => {
            const id = `${run}-1`;
            const who = payers({ run: id, task: String(run) });
            const admission = await purses.admit(id, who, money(want), money(Math.ceil(want / 2)));
            if ('refused' in admission) return;
            const { hold } = admission;
            const spent = Math.floor(hold.amounts.money * cost);
            if (end === 'keep') return void kept.push(() => hold.settle(NO_AMOUNTS));
            if (end === 'crash') return void (purses = openPurses(db.pool, 'UTC'));
            await writer.write(charge({ slab: hold.slab, payers: who, money: spent }));
            hold.settle(money(spent));
          }),
        );
        const [state] = await budgetsOf(db.pool, { appliance: '' }, 'UTC');
        assert.ok(state!.spent + state!.held <= cap, `${state!.spent} + ${state!.held} of ${cap}`);
        await sweepSlabs(db.pool, BOOKS, -1);
        const { rows } = await db.pool.query(
          `select (select coalesce(sum(money), 0)::int from account) as held, (select count(*)::int from slab where state = 'open') as open,
           (select coalesce(sum(money), 0)::int from account_day where scope = 'appliance') as spent,
           (select coalesce(sum(money), 0)::int from usage_day) as used`,
        );
        assert.deepEqual({ ...rows[0], spent: 0, used: 0 }, { held: 0, open: 0, spent: 0, used: 0 });
        assert.equal(rows[0].spent, rows[0].used);
        assert.ok(rows[0].spent <= cap);
      },
    ),
    { numRuns: 25 },
  );
  assert.equal((await verifyLedger(db.pool)).wrong, null);
});

test('what a run has left is given back when it ends, though it has just called', async () => {
  await using db = await testDatabase();
  await budget(db.pool, ['project', 'shop'], 'day', 'money', 10_000);
  const order = await aRun(db.pool);
  const who = payers({ run: order.run });
  const purses = openPurses(db.pool, 'UTC');
  const admission = await purses.admit(order.run, who, money(1_000), money(1_000));
  assert.ok('hold' in admission);
  const held = async () => (await budgetsOf(db.pool, who, 'UTC'))[0]?.held;
  await finishRun(db.pool, order.run, report(order, { outcome: 'no-change' }), POLICY);
  await purses.tend();
  assert.equal(await held(), 2_000, 'a call is still under way');
  admission.hold.settle(money(0));
  await purses.tend();
  assert.equal(await held(), 0);
});
