// What a run is told of its money: from the ledger, with what binds it and whether it may go on.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { transaction, type Database } from '../db/connect.ts';
import { liveRun } from '../gateway/testing/live-run.ts';
import { writeCharges } from './charge.ts';
import type { Payers } from './payers.ts';
import { noteRefusal } from './refusals.ts';
import { runBudget } from './run-budget.ts';
import { reserve } from './slabs.ts';
import { BOOKS, budget, charge } from './testing/books.ts';

interface Scene {
  db: Database;
  run: string;
  payers: Payers;
  ask(): ReturnType<typeof runBudget>;
  spend(money: number): Promise<void>;
  hold(payers: Payers, money: number): Promise<void>;
}

async function scene(body: (scene: Scene) => Promise<void>): Promise<void> {
  await using made = await testDatabase();
  const db = made.pool;
  const { run } = await liveRun(db);
  const [{ name: project }] = (await db.query('select name from project')).rows;
  const who = { worker: 'local', agent: 'qwen-coder', person: 'test', task: run.split('-')[0]! };
  const payers: Payers = { appliance: '', project, run, ...who };
  await body({
    db,
    run,
    payers,
    ask: async () => await runBudget(db, run, BOOKS),
    spend: async (money) =>
      await transaction(db, async (tx) => await writeCharges(tx, [charge({ payers, money })], BOOKS)),
    hold: async (holder, money) => {
      const want = { money, tokens: 0, gpu: 0 };
      const ids = { slab: randomUUID(), owner: randomUUID() };
      const answer = await reserve(db, { ...ids, payers: holder, want, least: want, timeZone: 'UTC' });
      assert.ok(typeof answer === 'object' && 'granted' in answer);
    },
  });
}

test('a run without budgets may go on; what it has spent is told in money, tokens and calls', async () => {
  await scene(async ({ ask, spend, db, run }) => {
    const nothing = {
      calls: 0,
      inputTokens: 0,
      cachedTokens: 0,
      outputTokens: 0,
      money: 0,
      tokens: 0,
      gpu: 0,
    };
    assert.deepEqual(await ask(), {
      currency: 'EUR',
      spent: nothing,
      budgets: [],
      refused: null,
      ok: true,
      reason: null,
    });
    await spend(2_500);
    await db.query(
      `insert into model_call (request, run, task, project, protocol, model_asked, model_served, input_tokens, cached_tokens, output_tokens,
         usage_source, price, cost_micros, status, outcome, total_ms)
       select gen_random_uuid(), run.id, task, project, 'chat', 'm', 'e/m', 100, 40, 10, 'upstream', '{}', 2500, 200, 'ok', 5
       from run join task on task.id = task where run.id = $1`,
      [run],
    );
    const spent = { calls: 1, inputTokens: 100, cachedTokens: 40, outputTokens: 10 };
    assert.deepEqual((await ask()).spent, { ...spent, money: 2_500, tokens: 110, gpu: 0 });
    await assert.rejects(runBudget(db, '99-1', BOOKS), { code: 'ERR_NOT_FOUND' });
  });
});

test('what binds it is told with what is left to it: its own slab is, those of others are not', async () => {
  await scene(async ({ db, payers, ask, spend, hold }) => {
    await budget(db, ['project', payers.project!], 'day', 'money', 10_000);
    await budget(db, ['run', '*'], 'total', 'tokens', 1_000);
    await budget(db, ['project', 'another'], 'day', 'money', 1);
    await spend(3_000);
    await hold(payers, 2_000);
    await hold({ appliance: '', project: payers.project! }, 4_000);
    const { budgets, ok } = await ask();
    assert.deepEqual(
      budgets.map(({ scope, unit, spent, held, left }) => ({ scope, unit, spent, held, left })),
      [
        { scope: 'project', unit: 'money', spent: 3_000, held: 4_000, left: 3_000 },
        { scope: 'run', unit: 'tokens', spent: 110, held: 0, left: 890 },
      ],
    );
    assert.equal(ok, true);
    await spend(7_000);
    const after = await ask();
    assert.equal(after.ok, false);
    assert.match(after.reason ?? '', /^The budget of project \S+ \(0\.0100 EUR a day\) is used up\.$/);
  });
});

test('a run whose last call was refused may not go on, though something is left', async () => {
  await scene(async ({ db, run, payers, ask }) => {
    await budget(db, ['project', payers.project!], 'day', 'money', 10_000);
    await noteRefusal(db, run, 'The budget leaves only 0.0100 EUR.');
    const { ok, refused, reason } = await ask();
    const words = 'The budget leaves only 0.0100 EUR.';
    assert.deepEqual({ ok, refused, reason }, { ok: false, refused: words, reason: words });
  });
});
