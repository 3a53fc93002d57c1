// The state machine of a run: the table, and the one function that makes every transition.
// Used by the rest of this folder; every end of a run goes through ending.ts, which frees what the run held.
import { AutocodeError } from '../../protocol/errors.ts';
import type { RunCause, RunState } from '../../protocol/run.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';

/** States in which a runner has the run, under a lease. */
export const LEASED_STATES = [
  'leased',
  'preparing',
  'working',
  'verifying',
] as const satisfies readonly RunState[];
export type LeasedState = (typeof LEASED_STATES)[number];

/** States in which the run holds its repository: the runner has it, or the orchestrator submits it. */
export const LIVE_STATES = [...LEASED_STATES, 'submitting'] as const satisfies readonly RunState[];

const ENDS_OF_RUNNER = [
  'no-change',
  'planned',
  'failed',
  'cancelled',
  'lost',
  'out-of-time',
  'out-of-budget',
] as const satisfies readonly RunState[];

/**
 * From each state, the states a run may go to. A runner may leave out announcements, and goes from verifying back to
 * working when a check fails. `lost` is the one end that can be undone: its worker may be back with the fence still its own.
 */
export const RUN_TRANSITIONS: Readonly<Record<RunState, readonly RunState[]>> = {
  leased: ['preparing', 'working', 'verifying', 'submitting', ...ENDS_OF_RUNNER],
  preparing: ['working', 'verifying', 'submitting', ...ENDS_OF_RUNNER],
  working: ['verifying', 'submitting', ...ENDS_OF_RUNNER],
  verifying: ['working', 'submitting', ...ENDS_OF_RUNNER],
  submitting: ['succeeded', 'no-change', 'failed', 'cancelled'],
  lost: [...LEASED_STATES],
  succeeded: [],
  'no-change': [],
  planned: [],
  failed: [],
  cancelled: [],
  'out-of-time': [],
  'out-of-budget': [],
};

/** Whether a runner has the run in this state. */
export function isLeased(state: RunState): state is LeasedState {
  return (LEASED_STATES as readonly RunState[]).includes(state);
}

/** Whether the run is at work or being submitted. */
export function isLive(state: RunState): boolean {
  return (LIVE_STATES as readonly RunState[]).includes(state);
}

/** Where a run goes. `leaseSeconds` starts a lease anew; a run that is leased no more has none. */
export interface RunMove {
  state: RunState;
  cause?: RunCause | null;
  reason?: string | null;
  leaseSeconds?: number;
}

/** Makes a transition and says so in the outbox; ERR_STATE when the table does not allow it. */
export async function moveRun(tx: Queryable, run: string, move: RunMove): Promise<void> {
  const { rows } = await tx.query<{ from: RunState; project: number; task: number }>({
    name: 'move-run',
    text: `with old as (
        select r.id, r.state, t.project from run r join task t on t.id = r.task where r.id = $1 for no key update of r)
      update run r set state = $2, cause = $4, reason = $5,
        live_state = case when $2 = 'lost' then old.state end,
        lease_until = case when $6 then coalesce(now() + make_interval(secs => $7::float8), r.lease_until) end,
        updated_at = now(), finished_at = case when not $8 then now() end
      from old where r.id = old.id and old.state = any($3)
      returning old.state as "from", old.project, r.task`,
    values: [
      run,
      move.state,
      statesBefore(move.state),
      move.cause ?? null,
      move.reason ?? null,
      isLeased(move.state),
      move.leaseSeconds ?? null,
      isLive(move.state),
    ],
  });
  const moved = rows[0];
  if (moved === undefined) throw await refusal(tx, run, move.state);
  const data = { from: moved.from, to: move.state, cause: move.cause ?? null, reason: move.reason ?? null };
  await emit(tx, { kind: 'run.state', project: moved.project, task: moved.task, run, data });
}

function statesBefore(to: RunState): RunState[] {
  return (Object.keys(RUN_TRANSITIONS) as RunState[]).filter((from) => RUN_TRANSITIONS[from].includes(to));
}

async function refusal(tx: Queryable, run: string, to: RunState): Promise<AutocodeError> {
  const { rows } = await tx.query<{ state: RunState }>('select state from run where id = $1', [run]);
  if (rows[0] === undefined) return runNotFound(run);
  return new AutocodeError('ERR_STATE', `Run ${run} is ${rows[0].state}; it cannot become ${to}.`, {
    remedy: `See what became of it with \`autocode run show ${run}\`.`,
    details: { from: rows[0].state, to },
  });
}

/** There is no such run. */
export function runNotFound(run: string): AutocodeError {
  return new AutocodeError('ERR_NOT_FOUND', `There is no run ${run}.`, {
    remedy: 'See `autocode run list`.',
  });
}

/** The run has ended, or the task has been given to another run: whoever asks must stop. */
export function staleFence(run: string, fence: number): AutocodeError {
  return new AutocodeError('ERR_STALE_FENCE', `Run ${run} is not at work with fence ${fence} any more.`, {
    remedy: 'It has ended, or its task was given to another run; stop and remove its workspace.',
  });
}
