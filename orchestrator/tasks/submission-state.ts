// What the submission (repos/submit.ts) reports of a run that was handed to it. Each report may be repeated.
import type { Queryable } from '../db/connect.ts';
import { endRun, type RetryPolicy, type RunEnd } from './ending.ts';
import { lockRun } from './queue.ts';
import { withinTransaction } from '../db/within-transaction.ts';

const NO_RETRIES: RetryPolicy = {
  retries: { agent: 0, platform: 0, lost: 0, outOfTime: 0 },
  retryBackoffSeconds: 0,
};

/** Runs that wait to be submitted, the longest waiting first. */
export async function runsToSubmit(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from run where state = 'submitting' order by updated_at limit 1000`,
  );
  return rows.map((row) => row.id);
}

/** The changes are open: the run succeeded, the task is completed. */
export async function submittedRun(
  db: Queryable,
  run: string,
  { changes }: { changes: number[] },
): Promise<void> {
  await endSubmission(
    db,
    run,
    {
      state: 'succeeded',
      reason:
        changes.length === 1
          ? `Change ${changes[0]} holds the result.`
          : `Changes ${changes.join(', ')} hold the result.`,
    },
    NO_RETRIES,
  );
}

/** The result is the same as its base: nothing to open. */
export async function submissionEmpty(db: Queryable, run: string): Promise<void> {
  await endSubmission(db, run, { state: 'no-change', reason: null }, NO_RETRIES);
}

/** Cancelled before anything was opened. */
export async function submissionCancelled(db: Queryable, run: string): Promise<void> {
  await endSubmission(
    db,
    run,
    { state: 'cancelled', reason: 'Cancelled before its change was opened.' },
    NO_RETRIES,
  );
}

/** A try failed and another will follow: says why the run is still in `submitting`. */
export async function noteSubmissionTrouble(db: Queryable, run: string, reason: string): Promise<void> {
  await db.query(`update run set reason = $2 where id = $1 and state = 'submitting'`, [run, reason]);
}

/**
 * The change could not be opened: `input` when the forge refuses it as it is, `platform` when another try may do,
 * `agent` when the submission checks refuse it and the agent is to mend it.
 */
export async function submissionFailed(
  db: Queryable,
  run: string,
  failure: { cause: 'platform' | 'input' | 'agent'; reason: string },
  policy: RetryPolicy,
): Promise<void> {
  await endSubmission(db, run, { state: 'failed', ...failure }, policy);
}

async function endSubmission(db: Queryable, run: string, end: RunEnd, policy: RetryPolicy): Promise<void> {
  await withinTransaction(db, async (tx) => {
    const locked = await lockRun(tx, run);
    if (locked.state === end.state) return;
    await endRun(tx, locked, end, policy);
  });
}
