// How many metered calls a second the books take, each durable before it is answered; and how long a year of ten million calls
// takes to report by day. Beside the books, in the same run: one row-locked reservation and record a call.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chargeWriter } from '../orchestrator/budget/charge-writer.ts';
import { openPurses } from '../orchestrator/budget/purses.ts';
import { usageBy } from '../orchestrator/budget/usage.ts';
import { connect, transaction, type Database } from '../orchestrator/db/connect.ts';
import { migrate } from '../orchestrator/db/migrate.ts';
import { startPostgres } from '../orchestrator/db/supervisor.ts';
import { chargeOf, insertCalls, type Recorded } from '../orchestrator/gateway/ledger.ts';
import { report } from './report.ts';
import { makeRuns, type BenchRun } from './support/runs.ts';

const RUNS = 140;
const SECONDS = 6;
const YEAR_CALLS = 10_000_000;
const CALL = { money: 1_200, tokens: 4_000, gpu: 30 };
const BOOKS = { timeZone: 'UTC', currency: 'EUR' };

const directory = mkdtempSync(join(tmpdir(), 'autocode-bench-ledger-'));
const postgres = await startPostgres({ cluster: join(directory, 'cluster'), url: undefined, log: () => {} });
try {
  const db = connect({ url: postgres.url, poolSize: 50 });
  await migrate(db);
  const locked = await rowLocked(db);
  const booked = await metered(db);
  console.error(
    `row-locked reservation a call ${locked.toFixed(0)}/s; books ${booked.toFixed(0)}/s over ${RUNS} runs`,
  );
  await fillYear(db);
  const began = performance.now();
  const rows = await usageBy(db, 'day', { from: '2025-01-01', to: '2025-12-31' });
  const seconds = (performance.now() - began) / 1000;
  if (rows.length !== 365) throw new Error(`${rows.length} days were reported`);
  report('ledger', [
    { name: 'metered calls, budgets and ledger on', value: booked, unit: '1/s', atLeast: 2_000 },
    { name: 'against a row-locked reservation a call', value: booked / locked, unit: 'times', atLeast: 2 },
    { name: `a year of ${YEAR_CALLS} calls by day`, value: seconds, unit: 's', atMost: 2 },
  ]);
  await db.end();
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

/** Calls of all runs as the gateway records them, each made when the one before it is durable; calls a second. */
async function metered(db: Database): Promise<number> {
  const runs = await makeRuns(db, RUNS);
  const purses = openPurses(db, 'UTC');
  const writer = chargeWriter({ db, books: BOOKS, insert: insertCalls });
  const rate = await inParallel(async (index) => {
    const run = runs[index]!;
    const admission = await purses.admit(
      run.id,
      run.payers,
      { money: 60_000, tokens: 40_000, gpu: 500 },
      CALL,
    );
    if ('refused' in admission) throw new Error('refused');
    const { hold } = admission;
    await writer.write(chargeOf(callOf(run), { slab: hold.slab, engine: 'mock', ...CALL }));
    hold.settle(CALL);
  });
  await purses.close();
  return rate;
}

function callOf({ id, task, project, worker, payers }: BenchRun): Recorded['call'] {
  return {
    request: randomUUID(),
    caller: {
      run: id,
      key: null,
      task,
      project,
      worker,
      payers,
      where: '',
      model: 'mock/bench',
      policy: { allow: [], external: false, cacheAnswers: false, keepPrompts: false },
      limits: {},
      cause: 'agent',
    },
    protocol: 'chat',
    modelAsked: 'mock/bench',
    modelServed: 'mock/bench',
    cause: 'agent',
    fallback: null,
    queueMs: 0,
    metered: { tokens: { input: 3_600, cached: 3_000, output: 400 }, source: 'upstream', reasoning: null },
    price: { input: 1, cached: 0.1, output: 1 },
    status: 200,
    outcome: 'ok',
    firstByteMs: 20,
    totalMs: 225,
  };
}

/** What is done without slabs: each call takes its budget's row, and gives it back with its record. */
async function rowLocked(db: Database): Promise<number> {
  await db.query('create table bench_budget (id int primary key, spent bigint, held bigint)');
  await db.query('create table bench_call (id uuid primary key, run text, money bigint)');
  await db.query('insert into bench_budget select i, 0, 0 from generate_series(0, 30) i');
  const rate = await inParallel(async (index) => {
    const ids = [0, 1 + (index % 20), 21 + (index % 10)];
    const lock = `select from bench_budget where id = any($1) order by id for update`;
    await transaction(db, async (tx) => {
      await tx.query(lock, [ids]);
      await tx.query('update bench_budget set held = held + $2 where id = any($1)', [ids, CALL.money]);
    });
    await transaction(db, async (tx) => {
      await tx.query(lock, [ids]);
      await tx.query('update bench_budget set held = held - $2, spent = spent + $2 where id = any($1)', [
        ids,
        CALL.money,
      ]);
      await tx.query('insert into bench_call values ($1, $2, $3)', [randomUUID(), `${index}-1`, CALL.money]);
    });
  });
  await db.query('drop table bench_budget, bench_call');
  return rate;
}

async function inParallel(call: (run: number) => Promise<void>): Promise<number> {
  const until = performance.now() + SECONDS * 1000;
  const began = performance.now();
  let made = 0;
  await Promise.all(
    Array.from({ length: RUNS }, async (_, run) => {
      while (performance.now() < until) {
        await call(run);
        made += 1;
      }
    }),
  );
  return made / ((performance.now() - began) / 1000);
}

/** Ten million calls of 40,000 tasks, as the writer sums them up, and their entries. */
async function fillYear(db: Database): Promise<void> {
  const client = await db.connect();
  try {
    await client.query('set statement_timeout = 0');
    await client.query(
      `create temporary table call as select i, 1 + i % 40000 as task, date '2025-01-01' + ((i % 40000) * 365 / 40000 + (i / 40000) % 3)::int as day
        from generate_series(0, $1::bigint - 1) as i`,
      [YEAR_CALLS],
    );
    await client.query(
      `insert into usage_day select least(day, '2025-12-31'), 'project-' || task % 20, task, 'codex', 'vllm/qwen', 'vm-' || task % 4, 'person-' || task % 10, 'agent',
         count(*), count(*) * 3600, count(*) * 3000, count(*) * 400, 0, count(*) * 1200, count(*) * 30 from call group by least(day, '2025-12-31'), task`,
    );
    await client.query(
      `insert into ledger_entry select 1e9 + i, gen_random_uuid(), day, 'usage', 'project:' || task % 20, 'engine:vllm', 1200, 'EUR', '{}', '\\x00' from call`,
    );
  } finally {
    client.release();
  }
}
