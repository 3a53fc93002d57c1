// The drain: what keeps runs from beginning before a shutdown. Asked for by `drain start` or by the flag file; it is over when
// neither asks for it any more. Used by the API, the claim, and drain-keeper.ts, which brings it to its end.
import { AutocodeError } from '../../protocol/errors.ts';
import type { AtDeadline, Drain, DrainInput } from '../../protocol/scheduling.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { emit } from '../events/outbox.ts';
import { wakeClaimers } from './queue.ts';
import { LIVE_STATES } from './run-state.ts';

/** How long runs may take to end, and what happens then; part of the configuration. */
export interface DrainPolicy {
  deadlineMinutes: number;
  atDeadline: AtDeadline;
}

export type DrainState = Drain['state'];

/**
 * The state of the drain, which stays as it is until the end of the transaction: a drain that begins waits for it. Whoever
 * changes it holds no other lock, so that nothing deadlocks.
 */
export async function holdDrain(tx: Queryable): Promise<DrainState> {
  const { rows } = await tx.query<{ state: DrainState }>({
    name: 'hold-drain',
    text: `select ${STATE} as state from drain for key share`,
  });
  return rows[0]!.state;
}

const STATE = `case when begun_at is null then 'off' when drained_at is null then 'draining' else 'drained' end`;

type Row = { [K in keyof Drain]: Drain[K] extends string | null ? Drain[K] | Date : Drain[K] };

// Each by an index, and no more of them than are told.
const WAITING = `select from task where state = 'queued'
  union all select from task where state = 'pending' and pending_reason in ('repository', 'drain')`;

/** The drain as it is, with the runs that it waits for. */
export async function getDrain(db: Queryable): Promise<Drain> {
  const { rows } = await db.query<Row>(
    `select ${STATE} as state, requested, flagged, reason, begun_by as "begunBy", begun_at as "begunAt", deadline,
       at_deadline as "atDeadline", overdue_at as "overdueAt", drained_at as "drainedAt", trouble,
       (select coalesce(jsonb_agg(jsonb_build_object('run', id, 'state', state, 'worker', worker) order by created_at), '[]')
        from run where state = any($1)) as runs,
       (select count(*) from (${WAITING} limit 10001) counted) as waiting
     from drain`,
    [LIVE_STATES],
  );
  const told = Object.entries(rows[0]!).map(([name, value]) => [
    name,
    value instanceof Date ? value.toISOString() : value,
  ]);
  return Object.fromEntries(told) as Drain;
}

/** Who asks for a drain, and how it is to end. */
interface Asked {
  by: string;
  reason: string | null;
  minutes: number;
  atDeadline: AtDeadline;
}

/** Begins a drain, or gives the one that goes on another deadline. From its answer on no run begins. */
export async function startDrain(
  db: Queryable,
  { reason, deadlineMinutes, atDeadline }: DrainInput,
  policy: DrainPolicy,
  actor: string,
): Promise<Drain> {
  await withinTransaction(db, async (tx) => {
    await lockDrain(tx);
    await begin(tx, 'requested', {
      by: actor,
      reason: reason ?? null,
      minutes: deadlineMinutes ?? policy.deadlineMinutes,
      atDeadline: atDeadline ?? policy.atDeadline,
    });
  });
  return await getDrain(db);
}

/** Takes back what `drain start` asked for: runs begin again, unless the flag file asks for a drain too. */
export async function stopDrain(db: Queryable, flagFile: string | undefined): Promise<Drain> {
  await withinTransaction(db, async (tx) => {
    const { requested, flagged } = await lockDrain(tx);
    if (!requested && flagged) {
      throw new AutocodeError('ERR_STATE', `The drain was asked for by the flag file ${flagFile ?? ''}.`, {
        remedy: 'Write `false` into the file, or remove it.',
      });
    }
    await end(tx, 'requested');
  });
  return await getDrain(db);
}

/** Notes what the flag file says; true when that is news. A drain that goes on already keeps its deadline. */
export async function noteFlag(
  db: Queryable,
  flagged: boolean,
  file: string,
  policy: DrainPolicy,
): Promise<boolean> {
  if ((await db.query('select from drain where flagged = $1', [flagged])).rowCount !== 0) return false;
  return await withinTransaction(db, async (tx) => {
    const before = await lockDrain(tx);
    if (before.flagged === flagged) return false;
    if (!flagged) await end(tx, 'flagged');
    else if (before.requested) await tx.query('update drain set flagged = true');
    else {
      const reason = `The flag file ${file} asks for it.`;
      await begin(tx, 'flagged', {
        by: 'flag file',
        reason,
        minutes: policy.deadlineMinutes,
        atDeadline: policy.atDeadline,
      });
    }
    return true;
  });
}

interface Asking {
  requested: boolean;
  flagged: boolean;
}

/**
 * Waits for every claim that is under way, and keeps others from beginning until the end of the transaction. The lock is that
 * of the table, for which all wait in turn: claims that overlap without end could keep a lock of the row from it.
 */
export async function lockDrain(tx: Queryable): Promise<Asking> {
  await tx.query('lock table drain in exclusive mode');
  const { rows } = await tx.query<Asking>('select requested, flagged from drain');
  return rows[0]!;
}

async function begin(
  tx: Queryable,
  by: keyof Asking,
  { by: actor, reason, minutes, atDeadline }: Asked,
): Promise<void> {
  await tx.query(
    `update drain set ${by} = true, begun_at = coalesce(begun_at, now()), begun_by = $1, reason = coalesce($2, reason),
       deadline = now() + make_interval(secs => $3::float8 * 60), at_deadline = $4, overdue_at = null`,
    [actor, reason, minutes, atDeadline],
  );
  await emit(tx, { kind: 'drain.begun', data: { by: actor, reason, minutes, atDeadline } });
}

async function end(tx: Queryable, by: keyof Asking): Promise<void> {
  const other = by === 'requested' ? 'flagged' : 'requested';
  const kept = await tx.query(`update drain set ${by} = false where ${other}`);
  if (kept.rowCount !== 0) return;
  const { rowCount } = await tx.query(
    `update drain set ${by} = false, begun_at = null, reason = null, begun_by = null, deadline = null, at_deadline = null,
       overdue_at = null, drained_at = null where ${by}`,
  );
  if (rowCount === 0) return;
  await emit(tx, { kind: 'drain.ended', data: {} });
  await wakeClaimers(tx);
}
