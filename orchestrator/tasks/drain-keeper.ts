// Brings a drain to its end: reads the flag file, notes when no run is active any more, does at the deadline what was asked
// for, writes the ready file and lets the processes end. A chore of the scheduler; what it knows is in the database, so that a
// killed daemon goes on where it was.
import { drainFiles, type DrainSettings } from '../config/drain-settings.ts';
import type { Database, Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { emit } from '../events/outbox.ts';
import { lockDrain, noteFlag } from './drain.ts';
import { readFlag, removeReady, writeReady } from './drain-files.ts';
import { endRun, type RetryPolicy } from './ending.ts';
import { lockRun } from './queue.ts';
import type { Chore } from './scheduler.ts';
import { isLeased, LEASED_STATES, LIVE_STATES } from './run-state.ts';

export interface DrainKeeperOptions {
  db: Database;
  settings: DrainSettings;
  retries: RetryPolicy;
  log: { info(message: string): void; warn(message: string): void };
}

const CUT_SHORT = 'Stopped by the drain: its time was over. The task is done again after it.';

/** The chore. What an earlier process said in the ready file is taken back when it is first run. */
export function drainKeeper(options: DrainKeeperOptions): Chore {
  const { db, log, settings } = options;
  const files = drainFiles(settings);
  let takenBack = files === undefined;
  let told: string | null | undefined;
  const run = async () => {
    const staleTrouble = takenBack ? null : await removeReady(files!.ready);
    takenBack = staleTrouble === null;
    const flagTrouble = await followFlag(options);
    const readyTrouble = (await goesOn(db)) ? await bringToEnd(options) : null;
    const trouble = staleTrouble ?? flagTrouble ?? readyTrouble;
    if (trouble === told) return;
    await db.query('update drain set trouble = $1', [trouble]);
    if (trouble !== null) log.warn(trouble);
    told = trouble;
  };
  return { name: 'drain', everySeconds: 1, run };
}

async function goesOn(db: Queryable): Promise<boolean> {
  return (await db.query('select from drain where begun_at is not null')).rowCount !== 0;
}

async function bringToEnd(options: DrainKeeperOptions): Promise<string | null> {
  if (await noteDrained(options.db)) options.log.info('drained: no run is active');
  await keepDeadline(options);
  return await letEnd(options);
}

async function followFlag({ db, settings, log }: DrainKeeperOptions): Promise<string | null> {
  const files = drainFiles(settings);
  const flag = files === undefined ? false : await readFlag(files.flag);
  if (typeof flag === 'object') return `${flag.unclear} What it said before still holds.`;
  if (await noteFlag(db, flag, files?.flag ?? '', settings))
    log.info(flag ? `the flag file asks for a drain` : `the flag file asks for no drain any more`);
  return null;
}

const IS_DRAINED = `begun_at is not null and drained_at is null and not exists (select from run where state = any($1))`;

// Looked at without the lock first: it keeps claims waiting.
async function noteDrained(db: Database): Promise<boolean> {
  const { rowCount } = await db.query(`select from drain where ${IS_DRAINED}`, [LIVE_STATES]);
  if (rowCount === 0) return false;
  return await withinTransaction(db, async (tx) => {
    await lockDrain(tx);
    const noted = await tx.query(`update drain set drained_at = now() where ${IS_DRAINED}`, [LIVE_STATES]);
    if (noted.rowCount !== 0) await emit(tx, { kind: 'drain.drained', data: {} });
    return noted.rowCount !== 0;
  });
}

async function keepDeadline({ db, retries, log }: DrainKeeperOptions): Promise<void> {
  const { rows } = await db.query<{ atDeadline: string; told: boolean }>(
    `select at_deadline as "atDeadline", overdue_at is not null as told from drain where drained_at is null and deadline <= now()`,
  );
  const overdue = rows[0];
  if (overdue === undefined) return;
  const active = await activeRuns(db);
  if (!overdue.told) {
    const told = `the time of the drain is over, and ${active.length} runs are active: ${WHAT_THEN[overdue.atDeadline]}`;
    log.warn(told);
    await withinTransaction(db, async (tx) => {
      await tx.query(
        `update drain set overdue_at = now(), leave_at = case at_deadline when 'stop' then now() else leave_at end`,
      );
      await emit(tx, { kind: 'drain.overdue', data: { atDeadline: overdue.atDeadline, runs: active } });
    });
  }
  if (overdue.atDeadline !== 'cancel') return;
  for (const run of active)
    await withinTransaction(db, async (tx) => await cutShort(tx, run, retries)).catch((error: unknown) =>
      log.warn(`run ${run} could not be ended for the drain: ${String(error)}`),
    );
}

const WHAT_THEN: Readonly<Record<string, string>> = {
  wait: 'they are waited for',
  cancel: 'they are ended, and their tasks done again afterwards',
  stop: 'the daemon ends, they go on without it',
};

async function activeRuns(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>('select id from run where state = any($1) order by id', [
    LEASED_STATES,
  ]);
  return rows.map(({ id }) => id);
}

// A submission is the orchestrator's own work: it is finished, or given up in its time.
async function cutShort(tx: Queryable, id: string, retries: RetryPolicy): Promise<void> {
  const run = await lockRun(tx, id);
  if (!isLeased(run.state)) return;
  await endRun(tx, run, { state: 'cancelled', cause: 'platform', reason: CUT_SHORT }, retries);
  await tx.query(`select pg_notify('run', $1)`, [id]);
}

/** Says that it is safe, and lets the processes end; what is in the way of that. */
async function letEnd({ db, settings, log }: DrainKeeperOptions): Promise<string | null> {
  const files = drainFiles(settings);
  if (files === undefined) return null;
  const { rows } = await db.query<{ at: Date; left: boolean }>(
    `select drained_at as at, coalesce(leave_at >= drained_at, false) as left from drain where flagged and drained_at is not null`,
  );
  const drained = rows[0];
  if (drained === undefined) return null;
  try {
    await writeReady(files.ready, drained.at);
  } catch (error) {
    return `The ready file ${files.ready} cannot be written: ${(error as Error).message}`;
  }
  if (!drained.left) log.info(`drained: ${files.ready} is written, the daemon ends`);
  await db.query('update drain set leave_at = now() where flagged and drained_at is not null');
  return null;
}
