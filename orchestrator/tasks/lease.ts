// What keeps a run with its runner: heartbeats, announcements, and the signals that wait for it.
// Used by the API's runner routes. A run that was lost is taken back here when its worker returns in time.
import type { HeartbeatAnswer, ProgressInput, SignalsAnswer } from '../../protocol/run.ts';
import type { SandboxUsage } from '../../protocol/sandbox-usage.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { messagesOf } from './messages.ts';
import { lockRun } from './queue.ts';
import { holdRun } from './revive.ts';
import { LEASED_STATES, moveRun, staleFence } from './run-state.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { seeWorker } from './worker-presence.ts';

/** The lease of a run that announces something before its first heartbeat after having been lost. */
const RETURN_LEASE_SECONDS = 30;

/** Renews the lease and notes what the sandboxes use; ERR_STALE_FENCE when the run has ended or its task was given to another. */
export async function heartbeat(
  db: Queryable,
  run: string,
  fence: number,
  lease: { leaseSeconds: number },
  usage?: SandboxUsage,
): Promise<HeartbeatAnswer> {
  const renewed = await renewLease(db, run, fence, lease.leaseSeconds, usage);
  if (renewed !== null) return renewed;
  return await withinTransaction(db, async (tx) => {
    await holdRun(tx, await lockRun(tx, run), fence, lease.leaseSeconds);
    return (await renewLease(tx, run, fence, lease.leaseSeconds, usage))!;
  });
}

async function renewLease(
  db: Queryable,
  run: string,
  fence: number,
  seconds: number,
  usage: SandboxUsage | undefined,
): Promise<HeartbeatAnswer | null> {
  const { rows } = await db.query<{ leaseUntil: Date; deadline: Date; cancel: boolean; worker: string }>({
    name: 'renew-lease',
    text: `update run set lease_until = now() + make_interval(secs => $3::float8), sandbox_usage = coalesce($5, sandbox_usage)
           where id = $1 and fence = $2 and state = any($4)
           returning lease_until as "leaseUntil", deadline, cancel_requested as cancel, worker`,
    values: [run, fence, seconds, LEASED_STATES, usage ?? null],
  });
  if (rows[0] === undefined) return null;
  const { leaseUntil, deadline, cancel, worker } = rows[0];
  await seeWorker(db, worker);
  return { leaseUntil: leaseUntil.toISOString(), deadline: deadline.toISOString(), cancel };
}

/** Records what the runner announces: its state, its plan, its iterations. Repeating it changes nothing. */
export async function progress(db: Queryable, run: string, input: ProgressInput): Promise<void> {
  await withinTransaction(db, async (tx) => {
    const locked = await lockRun(tx, run);
    await holdRun(tx, locked, input.fence, RETURN_LEASE_SECONDS);
    const state = locked.state === 'lost' ? locked.liveState : locked.state;
    if (input.state !== undefined && input.state !== state) await moveRun(tx, run, { state: input.state });
    await tx.query({
      name: 'note-progress',
      text: `update run set plan = coalesce($2, plan), iterations = coalesce($3, iterations),
               agent_version = coalesce($4, agent_version), agent_tokens = coalesce($5, agent_tokens), updated_at = now() where id = $1`,
      values: [
        run,
        input.plan === undefined ? null : JSON.stringify(input.plan),
        input.iterations ?? null,
        input.agentVersion ?? null,
        input.agentTokens ?? null,
      ],
    });
    if (input.plan === undefined) return;
    await emit(tx, {
      kind: 'run.plan',
      project: locked.task.project,
      task: locked.task.id,
      run,
      data: { plan: input.plan },
    });
  });
}

/** What the runner has to do besides its work, and messages after that number; ERR_STALE_FENCE when it is to stop altogether. */
export async function signals(
  db: Queryable,
  run: string,
  fence: number,
  after?: number,
): Promise<SignalsAnswer> {
  const { rows } = await db.query<{ cancel: boolean; task: number }>({
    name: 'run-signals',
    text: `select cancel_requested as cancel, task from run where id = $1 and fence = $2 and state = any($3)`,
    values: [run, fence, [...LEASED_STATES, 'lost']],
  });
  if (rows[0] === undefined) throw staleFence(run, fence);
  const { cancel, task } = rows[0];
  return { cancel, messages: after === undefined ? [] : await messagesOf(db, task, after) };
}
