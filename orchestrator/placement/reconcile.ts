// Compares workers, runs and dispatches with Nomad's allocations, and mends what differs. What was found twice in a row is mended:
// what comes and goes meanwhile is at work. Used as a chore of the scheduler and by the API for `autocode worker reconcile`.
import { setTimeout as delay } from 'node:timers/promises';
import type { FleetDifference } from '../../protocol/fleet-difference.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { LEASED_STATES } from '../tasks/run-state.ts';
import {
  ACTIONS,
  fleetDifferences,
  type Difference,
  type Known,
  type KnownWorker,
  type Mend,
  type ServiceJob,
} from './differences.ts';
import { endDispatch, openDispatches } from './dispatches.ts';
import type { Fleet } from './fleet.ts';
import { removeWorker } from './remove-worker.ts';

/** Between the two looks of a command. */
const LOOK_AGAIN_MS = 1_000;

/** All that differs now. */
export async function findDifferences(db: Queryable, fleet: Fleet): Promise<Difference[]> {
  // An allocation that is dispatched in between has its row already.
  const [allocations, service] = await Promise.all([fleet.nomad.allocations(), serviceJob(fleet)]);
  return fleetDifferences(await known(db), allocations, fleet.settings, service);
}

async function serviceJob({ nomad, settings }: Fleet): Promise<ServiceJob | undefined> {
  const job = await nomad.job(settings.job);
  if (job === undefined || job.Stop === true) return undefined;
  const blocked = (await nomad.evaluations(settings.job)).some(({ status }) => status === 'blocked');
  return { count: job.TaskGroups[0]?.Count ?? 0, blocked };
}

/** Those of `now` that were there before for the same reason. */
export function lasting(before: Difference[], now: Difference[]): Difference[] {
  const keys = new Set(before.map(keyOf));
  return now.filter((difference) => keys.has(keyOf(difference)));
}

const keyOf = ({ kind, what, mend }: Difference) => `${kind} ${what} ${mend}`;

/** Mends one difference, if it can be mended; answers whether. */
export async function mend(db: Queryable, fleet: Fleet, difference: Difference): Promise<boolean> {
  if (difference.mend === null) return false;
  await MENDS[difference.mend](db, fleet, difference);
  const { kind, what, why } = difference;
  await emit(db, { kind: 'fleet.mended', data: { kind, what, why, action: ACTIONS[difference.mend] } });
  return true;
}

/** Looks twice and mends what lasts, unless told not to. */
export async function reconcileFleet(
  db: Queryable,
  fleet: Fleet,
  dryRun: boolean,
): Promise<FleetDifference[]> {
  const before = await findDifferences(db, fleet);
  if (before.length === 0) return [];
  await delay(LOOK_AGAIN_MS);
  const found: FleetDifference[] = [];
  for (const difference of lasting(before, await findDifferences(db, fleet))) {
    const { mend: how, ...rest } = difference;
    const mended = !dryRun && (await mend(db, fleet, difference));
    found.push({ ...rest, action: how && ACTIONS[how], mended });
  }
  return found;
}

const MENDS: Record<Mend, (db: Queryable, fleet: Fleet, difference: Difference) => Promise<unknown>> = {
  // Another allocation would follow one that is stopped alone.
  stop: async (_, { nomad }, { what }) => await nomad.stopJob((await nomad.allocation(what)).job),
  // With the same count again Nomad also places what it does not when it is only told to evaluate the job.
  place: async (_, { nomad }, { what, why }) => {
    const group = (await nomad.job(what))?.TaskGroups[0];
    if (group !== undefined) await nomad.scale(what, group.Name, group.Count ?? 0, why);
  },
  end: async (db, _, { what, why }) => await endDispatch(db, what, why),
  remove: async (db, _, { what }) => await removeWorker(db, what),
};

async function known(db: Queryable): Promise<Known> {
  const { rows } = await db.query<KnownWorker>(
    `select w.name, w.state = 'online' as online, w.placement, w.allocation,
       to_jsonb(array(select id from run where worker = w.name and state = any($1) order by id)) as runs
     from worker w where w.allocation is not null order by w.name`,
    [LEASED_STATES],
  );
  return { workers: rows, dispatches: await openDispatches(db) };
}
