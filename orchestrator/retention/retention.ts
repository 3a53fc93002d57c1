// What is kept no longer than configured: logs of ended runs, events, records of egress, results,
// prompts, allocations of long ago. One pass; a chore of the scheduler.
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Queryable } from '../db/connect.ts';
import { logFile } from '../workers/log-store.ts';

export interface RetentionOptions {
  runLogsDays: number;
  eventsDays: number;
  egressDays: number;
  promptsDays: number;
  runLogs: string; // directory of the log store
  results: string; // directory of stored results
  prompts: string; // directory of kept prompts
}

export interface RetentionCounts {
  logs: number;
  events: number;
  egress: number;
  results: number;
  prompts: number;
  deliveries: number;
  models: number;
  dispatches: number;
}

const BATCH = 1_000;

/** Removes what is too old. Killed at any point, the next pass does the rest. */
export async function applyRetention(
  db: Queryable,
  options: RetentionOptions,
  signal?: AbortSignal,
): Promise<RetentionCounts> {
  return {
    logs: await removeRunLogs(db, options, signal),
    events: await removeEvents(db, options.eventsDays, signal),
    egress: await removeEgress(db, options.egressDays, signal),
    results: await removeOldFiles(options.results, options.runLogsDays),
    prompts: await removeOldFiles(options.prompts, options.promptsDays),
    deliveries: await removeDeliveries(db, options.eventsDays),
    models: await removeModelHistory(db, options.eventsDays),
    dispatches: await removeDispatches(db, options.eventsDays),
  };
}

// The file goes before its row: a row without a file is found again, a file without a row would stay for ever.
async function removeRunLogs(
  db: Queryable,
  { runLogsDays, runLogs }: RetentionOptions,
  signal?: AbortSignal,
): Promise<number> {
  let removed = 0;
  while (signal?.aborted !== true) {
    const { rows } = await db.query<{ run: string; stream: string }>(
      `select run, stream from log_stream join run on run.id = log_stream.run
       where run.finished_at < now() - make_interval(secs => $1::float8 * 86400) limit ${BATCH}`,
      [runLogsDays],
    );
    for (const { run, stream } of rows) {
      const file = logFile(runLogs, run, stream);
      await rm(file, { force: true });
      await rmdir(dirname(file)).catch(() => {}); // a task's folder goes with its last file
      await db.query('delete from log_stream where run = $1 and stream = $2', [run, stream]);
    }
    removed += rows.length;
    if (rows.length < BATCH) break;
  }
  return removed;
}

async function removeEvents(db: Queryable, days: number, signal?: AbortSignal): Promise<number> {
  return await inBatches(signal, async () => {
    const { rowCount } = await db.query(
      `delete from event where (xid, id) in (
         select xid, id from event where at < now() - make_interval(secs => $1::float8 * 86400) limit ${BATCH})`,
      [days],
    );
    return rowCount ?? 0;
  });
}

async function removeEgress(db: Queryable, days: number, signal?: AbortSignal): Promise<number> {
  return await inBatches(signal, async () => {
    const { rowCount } = await db.query(
      `delete from egress_record where ctid = any(array(
         select ctid from egress_record where at < now() - make_interval(secs => $1::float8 * 86400) limit ${BATCH}))`,
      [days],
    );
    return rowCount ?? 0;
  });
}

/** Removes batch after batch; how many rows in all. */
async function inBatches(signal: AbortSignal | undefined, batch: () => Promise<number>): Promise<number> {
  let removed = 0;
  while (signal?.aborted !== true) {
    const rows = await batch();
    removed += rows;
    if (rows < BATCH) break;
  }
  return removed;
}

async function removeDeliveries(db: Queryable, days: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from delivery where received_at < now() - make_interval(secs => $1::float8 * 86400)`,
    [days],
  );
  return rowCount ?? 0;
}

/** What was decided about local models, asked of them, and ran. */
async function removeModelHistory(db: Queryable, days: number): Promise<number> {
  const { rows } = await db.query<{ removed: number }>(
    `with decided as (delete from model_decision where at < now() - make_interval(secs => $1::float8 * 86400) returning 1),
          asked as (delete from model_command where done_at < now() - make_interval(secs => $1::float8 * 86400) returning 1),
          ran as (delete from engine_instance where ended_at < now() - make_interval(secs => $1::float8 * 86400) returning 1)
     select ((select count(*) from decided) + (select count(*) from asked) + (select count(*) from ran))::int as removed`,
    [days],
  );
  return rows[0]?.removed ?? 0;
}

/** Allocations that were asked of Nomad, of tasks that are over: a task's tries are told apart by how many there were. */
async function removeDispatches(db: Queryable, days: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from nomad_dispatch d using task t
     where t.id = d.task and d.state = 'ended' and t.finished_at < now() - make_interval(secs => $1::float8 * 86400)`,
    [days],
  );
  return rowCount ?? 0;
}

async function removeOldFiles(directory: string, days: number): Promise<number> {
  const limit = Date.now() - days * 86_400_000;
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  let removed = 0;
  for (const entry of entries.filter((found) => found.isFile())) {
    const path = join(entry.parentPath, entry.name);
    if ((await stat(path)).mtimeMs > limit) continue;
    await rm(path, { force: true });
    if (entry.parentPath !== directory) await rmdir(entry.parentPath).catch(() => {}); // a folder goes with its last file
    removed++;
  }
  return removed;
}
