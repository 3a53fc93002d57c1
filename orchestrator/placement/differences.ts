// What differs between the database and Nomad, and what mends it: the table of docs/fleet.md, pure but for the mends.
// Used by reconcile.ts.
import type { FleetDifference } from '../../protocol/fleet-difference.ts';
import type { Allocation } from '../nomad/answers.ts';
import { hasEnded, isDispatched, type Jobs } from './fleet.ts';

/** What is mended by which function of reconcile.ts. */
export type Mend = 'stop' | 'end' | 'remove' | 'place';

export type Difference = Pick<FleetDifference, 'kind' | 'what' | 'why'> & { mend: Mend | null };

export const ACTIONS: Readonly<Record<Mend, string>> = {
  stop: 'its job is stopped',
  end: 'the dispatch is ended; another follows if its task still waits',
  remove: 'the worker is removed from the list',
  place: 'its count is set again, for Nomad to place them',
};

export interface KnownWorker {
  name: string;
  online: boolean;
  placement: string;
  allocation: string | null;
  /** Its live runs that have a lease. */
  runs: string[];
}

export interface Known {
  workers: KnownWorker[];
  /** Open rows of dispatches that Nomad was asked for. */
  dispatches: { token: string; job: string | null }[];
}

/** The service job, where it has been deployed. */
export interface ServiceJob {
  count: number;
  /** Nomad waits for room. */
  blocked: boolean;
}

/** Longer than Nomad waits before it places another one for one that failed (`reschedule` of the job). */
const FOLLOWED_WITHIN_MS = 15 * 60_000;

/** Not registered for so long after its start, an allocation is told of. */
const REGISTERS_WITHIN_MS = 3 * 60_000;

/** All differences, by the known rows, all allocations of the namespace and the service job. */
export function fleetDifferences(
  known: Known,
  allocations: Allocation[],
  jobs: Jobs,
  service?: ServiceJob,
  now = Date.now(),
): Difference[] {
  const byId = new Map(allocations.map((allocation) => [allocation.id, allocation]));
  return [
    ...(service === undefined ? [] : ofService(service, allocations, jobs, now)),
    ...allocations.flatMap((allocation) => ofAllocation(allocation, known, jobs, now)),
    ...known.dispatches.flatMap((dispatch) => ofDispatch(dispatch, allocations)),
    ...known.workers.flatMap((worker) => ofWorker(worker, byId, jobs)),
  ];
}

// One that failed is followed by another in its time, but by none where its deployment failed with it.
function ofService(
  { count, blocked }: ServiceJob,
  allocations: Allocation[],
  { job }: Jobs,
  now: number,
): Difference[] {
  const isGivenUp = ({ status, modified }: Allocation) =>
    status === 'failed' && now - modified.getTime() > FOLLOWED_WITHIN_MS;
  const placed = allocations.filter(
    (each) => each.job === job && each.desired === 'run' && !isGivenUp(each),
  ).length;
  if (placed >= count) return [];
  const why = `has ${placed} allocations, and should have ${count}`;
  if (!blocked) return [{ kind: 'job', what: job, why, mend: 'place' }];
  return [{ kind: 'job', what: job, why: `${why}: Nomad has no room`, mend: null }];
}

function ofAllocation(
  { id, job, status, desired, created }: Allocation,
  { workers, dispatches }: Known,
  jobs: Jobs,
  now: number,
): Difference[] {
  const ours = job === jobs.job || isDispatched(job, jobs);
  if (!ours || hasEnded({ status }) || desired !== 'run') return [];
  const worker = workers.find(({ allocation }) => allocation === id);
  const kind = 'allocation';
  if (job !== jobs.job && !dispatches.some((dispatch) => dispatch.job === job) && worker === undefined) {
    return [{ kind, what: id, why: `of ${job}, which nobody here dispatched`, mend: 'stop' }];
  }
  if (worker === undefined && status === 'running' && now - created.getTime() > REGISTERS_WITHIN_MS) {
    const why = `of ${job}, runs since ${created.toISOString()} and no worker has registered from it (\`autocode worker logs\`)`;
    return [{ kind, what: id, why, mend: null }];
  }
  return [];
}

function ofDispatch({ token, job }: Known['dispatches'][number], allocations: Allocation[]): Difference[] {
  const own = allocations.filter((allocation) => allocation.job === job);
  if (job === null || own.length === 0 || !own.every(hasEnded)) return [];
  return [{ kind: 'dispatch', what: token, why: `all allocations of ${job} have ended`, mend: 'end' }];
}

function ofWorker(
  { name, online, placement, allocation, runs }: KnownWorker,
  allocations: ReadonlyMap<string, Allocation>,
  jobs: Jobs,
): Difference[] {
  const kind = 'worker';
  if (allocation === null) return [];
  const found = allocations.get(allocation);
  const short = allocation.slice(0, 8);
  if (found !== undefined && found.job !== jobs.job && !isDispatched(found.job, jobs)) {
    return [
      { kind, what: name, why: `says that it is allocation ${short}, which is of ${found.job}`, mend: null },
    ];
  }
  if (found !== undefined && !hasEnded(found)) {
    if (found.status !== 'unknown' || !online) return [];
    return [{ kind, what: name, why: `Nomad has lost sight of its node ${found.node.name}`, mend: null }];
  }
  const why =
    found === undefined ? `Nomad knows no allocation ${short}` : `allocation ${short} is ${found.status}`;
  const live = runs.map((run): Difference => ({
    kind: 'run',
    what: run,
    why: `${why}; it goes on as long as its runner renews the lease`,
    mend: null,
  }));
  if (runs.length > 0) return live;
  if (placement === 'dispatch' || !online) return [{ kind, what: name, why, mend: 'remove' }];
  return [{ kind, what: name, why: `${why}, and yet it is online`, mend: null }];
}
