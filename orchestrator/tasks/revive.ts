// A lost run whose worker is back: it goes on when nobody else has taken its task or one of its repositories.
// Used by all that a runner sends (lease.ts, finish.ts).
import type { Queryable } from '../db/connect.ts';
import { holdDrain } from './drain.ts';
import { arrangeQueue, type LockedRun } from './queue.ts';
import { isLeased, moveRun, staleFence } from './run-state.ts';
import { moveTask } from './task-state.ts';

/** Makes sure that the runner still has the run, taking a lost one back where that is possible; else ERR_STALE_FENCE. */
export async function holdRun(
  tx: Queryable,
  run: LockedRun,
  fence: number,
  leaseSeconds: number,
): Promise<void> {
  if (run.fence !== fence) throw staleFence(run.id, fence);
  if (isLeased(run.state)) return;
  if (!(await canReturn(tx, run))) throw staleFence(run.id, fence);
  const cause = run.cause ?? 'lost';
  const used = run.task.retries[cause] ?? 0;
  const retries = { ...run.task.retries, [cause]: Math.max(used - 1, 0) }; // the retry that this loss took
  await moveRun(tx, run.id, { state: run.liveState!, leaseSeconds, reason: 'Its worker is back.' });
  await moveTask(tx, run.task.id, { state: 'running', retries });
  await tx.query(
    `insert into repository_claim (repository, run)
       select repository, $2 from task_repository where task = $1 order by repository`,
    [run.task.id, run.id],
  );
  await tx.query(`update log_stream set state = 'open' where run = $1 and state = 'truncated'`, [run.id]);
  await tx.query(`update token set revoked_at = null, expires_at = null where run = $1`, [run.id]);
  await arrangeQueue(tx, run.task.project);
}

async function canReturn(tx: Queryable, run: LockedRun): Promise<boolean> {
  const { task } = run;
  if (run.state !== 'lost' || run.liveState === null || run.fence !== task.attempt) return false;
  if (
    task.state !== 'queued' &&
    (task.state !== 'pending' || !['retry', 'repository', 'limit', 'change'].includes(task.pendingReason!))
  )
    return false;
  const { rowCount } = await tx.query(
    `select from repository_claim c join task_repository r on r.repository = c.repository
       where r.task = $1 and c.released_at is null`,
    [task.id],
  );
  if (rowCount !== 0) return false;
  return (await holdDrain(tx)) !== 'drained'; // somebody may rely on it that nothing is at work
}
