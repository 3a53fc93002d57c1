// The rows of what runs, or should: written before an engine is touched, so that the next start finds it. Used by the supervisor.
import type { EngineFigures, ManagedEngineKind } from '../../../protocol/local-model.ts';
import { transaction, type Database, type Queryable } from '../../db/connect.ts';
import type { Handle } from '../engine/managed.ts';

export type InstanceState = 'loading' | 'ready' | 'asleep' | 'stopping' | 'stopped' | 'failed';

export interface InstanceRow {
  launch: string;
  model: string;
  replica: number;
  kind: ManagedEngineKind;
  state: Exclude<InstanceState, 'stopped' | 'failed'>;
  handle: Partial<Handle>;
  gpus: number[];
  /** What it takes of each GPU: as predicted, or more where more was measured. */
  mib: number;
  since: Date;
  beganAt: Date;
  usedAt: Date | null;
  problem: string | null;
}

export interface NewInstance {
  launch: string;
  model: string;
  replica: number;
  kind: ManagedEngineKind;
  gpus: readonly number[];
  predictedMib: number;
}

/** Notes a launch before it begins. A row of the same replica that nothing stands behind any more is ended. */
export async function beginInstance(db: Database, instance: NewInstance): Promise<void> {
  const { launch, model, replica, kind, gpus, predictedMib } = instance;
  await transaction(db, async (tx) => {
    await tx.query(
      `update engine_instance set state = 'failed', problem = coalesce(problem, 'its end was not recorded'), ended_at = now(), since = now()
       where model = $1 and replica = $2 and state not in ('stopped','failed')`,
      [model, replica],
    );
    await tx.query(
      `insert into engine_instance (launch, model, replica, kind, state, gpus, predicted_mib) values ($1, $2, $3, $4, 'loading', $5, $6)`,
      [launch, model, replica, kind, JSON.stringify(gpus), predictedMib],
    );
  });
}

/** Keeps how a launch is found again. */
export async function keepHandle(db: Queryable, handle: Handle): Promise<void> {
  await db.query('update engine_instance set handle = $2, endpoint = $3 where launch = $1', [
    handle.launch,
    handle,
    handle.endpoint,
  ]);
}

export interface Trouble {
  problem: string;
  remedy: string | null;
}

/** Moves a launch to another state; `trouble` says why it goes wrong. */
export async function moveInstance(
  db: Queryable,
  launch: string,
  state: InstanceState,
  trouble?: Trouble,
): Promise<void> {
  await db.query(
    `update engine_instance set state = $2, since = now(), problem = coalesce($3, problem), remedy = coalesce($4, remedy),
       ready_at = case when $2 = 'ready' then coalesce(ready_at, now()) else ready_at end,
       ended_at = case when $2 in ('stopped','failed') then now() end,
       in_flight = case when $2 in ('stopped','failed') then 0 else in_flight end
     where launch = $1`,
    [launch, state, trouble?.problem ?? null, trouble?.remedy ?? null],
  );
}

export interface Observed {
  inFlight: number;
  usedAt: Date;
  figures: EngineFigures | null;
  reportedMib: number | null;
  measuredMib: number | null;
}

/** Notes what was seen of a replica; memory that nobody tells of any more stays as it was told last. */
export async function observeInstance(db: Queryable, launch: string, seen: Observed): Promise<void> {
  await db.query(
    `update engine_instance set in_flight = $2, used_at = $3, figures = $4,
       reported_mib = coalesce($5, reported_mib), measured_mib = coalesce($6, measured_mib) where launch = $1`,
    [launch, seen.inFlight, seen.usedAt, seen.figures, seen.reportedMib, seen.measuredMib],
  );
}

/** What ran when the last daemon ended, or was about to. */
export async function liveInstances(db: Queryable): Promise<InstanceRow[]> {
  const { rows } = await db.query<InstanceRow>(
    `select launch, model, replica, kind, state, handle, gpus, greatest(predicted_mib, measured_mib, 0) as mib, since,
       began_at as "beganAt", used_at as "usedAt", problem
     from engine_instance where state not in ('stopped','failed') order by began_at`,
  );
  return rows;
}

/** How long each model took to load lately: the median of its last five loads, in ms. */
export async function loadTimes(db: Queryable): Promise<Map<string, number>> {
  const { rows } = await db.query<{ model: string; ms: number }>(
    `select model, (percentile_cont(0.5) within group (order by extract(epoch from ready_at - began_at)) * 1000)::float8 as ms
     from (select model, ready_at, began_at, row_number() over (partition by model order by began_at desc) as nth
           from engine_instance where ready_at is not null) as loads
     where nth <= 5 group by model`,
  );
  return new Map(rows.map(({ model, ms }) => [model, ms]));
}
