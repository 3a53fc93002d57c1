// How a run ends: the one place that frees what it held and decides what becomes of its task.
// Used by finish.ts, submission-state.ts and sweep.ts, under the locks of `lockRun`.
import type { RunCause } from '../../protocol/run.ts';
import type { Queryable } from '../db/connect.ts';
import { arrangeQueue, WAITS, wakeClaimers, type LockedRun } from './queue.ts';
import { moveRun } from './run-state.ts';
import { moveTask, type TaskMove } from './task-state.ts';

/** How often a task is tried again, by cause, and how long it waits first; part of the configuration. */
export interface RetryPolicy {
  retries: { agent: number; platform: number; lost: number; outOfTime: number };
  retryBackoffSeconds: number;
}

/** How a run ended. */
export type RunEnd =
  | { state: 'succeeded' | 'no-change' | 'planned' | 'cancelled'; reason: string | null }
  /** Ended for a shutdown: nobody gave the task up, and it is done again without a retry being counted. */
  | { state: 'cancelled'; cause: 'platform'; reason: string }
  /** `begun`: some call was paid for. */
  | { state: 'out-of-budget'; begun: boolean; reason: string | null }
  | { state: 'failed' | 'lost' | 'out-of-time'; cause: RunCause; reason: string | null };

/** Why a task is pending(approval). */
const WANTS_APPROVAL = 'Its plan waits for a person to approve it.';
/** What is left did not do for one call; it is tried again so much later, or when budgets are set. */
const NOTHING_TO_BEGIN_WITH_SECONDS = 900;
const LONGEST_BACKOFF_SECONDS = 3600;
// The runner may still ask what became of its run; a lost one may come back, for as long as it does not stop itself.
const RUN_TOKEN_LIFE = { ended: '10 minutes', lost: '1 day' };

/** Ends a live run: frees repositories, keys and logs, and completes, fails, cancels or retries the task. */
export async function endRun(tx: Queryable, run: LockedRun, end: RunEnd, policy: RetryPolicy): Promise<void> {
  await moveRun(tx, run.id, {
    state: end.state,
    cause: 'cause' in end ? end.cause : null,
    reason: end.reason,
  });
  await tx.query(`update repository_claim set released_at = now() where run = $1 and released_at is null`, [
    run.id,
  ]);
  await tx.query(
    `update log_stream set state = 'truncated', updated_at = now() where run = $1 and state = 'open'`,
    [run.id],
  );
  await tx.query(
    `update token set revoked_at = case when role = 'gateway' then now() end,
       expires_at = case when role = 'run' then now() + $2::interval end
     where run = $1 and revoked_at is null`,
    [run.id, end.state === 'lost' ? RUN_TOKEN_LIFE.lost : RUN_TOKEN_LIFE.ended],
  );
  await moveTask(tx, run.task.id, afterEnd(run, end, policy));
  await arrangeQueue(tx, run.task.project);
  await wakeClaimers(tx); // the worker has room again, perhaps for a task of another project
}

/** What becomes of the task of a run that ended so. */
export function afterEnd(
  run: Pick<LockedRun, 'id' | 'cancelRequested' | 'task'>,
  end: RunEnd,
  policy: RetryPolicy,
): TaskMove {
  if (end.state === 'succeeded') return { state: 'completed', reason: end.reason };
  if (end.state === 'no-change')
    return { state: 'completed', reason: end.reason ?? 'Nothing needed to change.' };
  if (end.state === 'cancelled' && 'cause' in end && !run.cancelRequested)
    return { state: 'pending', pendingReason: 'repository', reason: WAITS };
  if (end.state === 'cancelled' || run.cancelRequested)
    return { state: 'cancelled', reason: end.reason ?? 'Cancelled.' };
  if (end.state === 'planned')
    return { state: 'pending', pendingReason: 'approval', reason: end.reason ?? WANTS_APPROVAL };
  const why = end.reason ?? `Run ${run.id} ended as ${end.state}.`;
  if (!('cause' in end)) {
    const begun = end.state === 'out-of-budget' && end.begun;
    if (begun) return { state: 'failed', reason: why }; // another try would cost as much
    const notBeforeSeconds = NOTHING_TO_BEGIN_WITH_SECONDS;
    return { state: 'pending', pendingReason: 'budget', notBeforeSeconds, reason: why };
  }
  // Done again to be compared: another try would start from more than the first one did.
  if (run.task.replayOf !== null && end.cause === 'agent') return { state: 'failed', reason: why };
  const used = run.task.retries[end.cause] ?? 0;
  if (used >= allowedRetries(end.cause, policy)) return { state: 'failed', reason: why };
  return {
    state: 'pending',
    pendingReason: 'retry',
    notBeforeSeconds: backoffSeconds(used + 1, policy.retryBackoffSeconds),
    reason: why,
    retries: { ...run.task.retries, [end.cause]: used + 1 },
  };
}

function allowedRetries(cause: RunCause, { retries }: RetryPolicy): number {
  if (cause === 'input') return 0; // the task cannot be done as given
  return cause === 'out-of-time' ? retries.outOfTime : retries[cause];
}

/** Seconds until the nth retry for one cause: the base, doubled each time, an hour at most. */
export function backoffSeconds(retry: number, base: number): number {
  return Math.min(base * 2 ** (retry - 1), LONGEST_BACKOFF_SECONDS);
}
