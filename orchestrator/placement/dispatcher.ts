// One allocation of Nomad's parameterized job for each run that wants one. A chore of the scheduler, where Nomad and
// placement.dispatch are configured. What it does is in rows first: killed at any line, the next pass goes on.
import { AutocodeError } from '../../protocol/errors.ts';
import type { RunNeeds } from '../config/placement-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import type { Allocation } from '../nomad/answers.ts';
import { shortageOf } from '../nomad/capacity.ts';
import { getDrain } from '../tasks/drain.ts';
import { missingFunds } from '../tasks/funds.ts';
import {
  endDispatch,
  noteAsked,
  noteDispatched,
  noteProblem,
  openDispatches,
  wantedDispatches,
  type Dispatch,
} from './dispatches.ts';
import { hasEnded, isDispatched, type Fleet } from './fleet.ts';
import { removeWorker } from './remove-worker.ts';

export interface DispatcherParts {
  db: Queryable;
  fleet: Fleet;
  needs: RunNeeds;
  /** Most allocations at a time. */
  max: number;
  timeZone: string;
}

/** Brings rows and allocations together, and dispatches what is wanted; answers how many were dispatched. */
export async function dispatchOnce(parts: DispatcherParts): Promise<number> {
  const { db, needs, max } = parts;
  const open = await openDispatches(db);
  const live = open.length === 0 ? 0 : await settle(parts, open);
  if ((await getDrain(db)).state !== 'off') return 0;
  let dispatched = 0;
  for (const { token, task, wanted, state } of open) {
    if (state !== 'asked') continue;
    if (!wanted) await endDispatch(db, token, null);
    else if (await ask(parts, token, task)) dispatched++;
  }
  for (const task of await wantedDispatches(db, needs, Math.max(0, max - live))) {
    if ((await missingFunds(db, task, parts.timeZone)) !== undefined) continue;
    const token = await noteAsked(db, task);
    if (token !== undefined && (await ask(parts, token, task.id))) dispatched++;
  }
  return dispatched;
}

/** Asks Nomad; the same token again makes no second allocation. */
async function ask({ db, fleet }: DispatcherParts, token: string, task: number): Promise<boolean> {
  try {
    const meta = { task: String(task) };
    const made = await fleet.nomad.dispatch(fleet.settings.runJob, { meta, idempotencyToken: token });
    await noteDispatched(db, token, made);
    await emit(db, { kind: 'fleet.dispatched', task, data: { job: made.dispatchedJobId } });
    return true;
  } catch (error) {
    if (!(error instanceof AutocodeError)) throw error;
    await noteProblem(db, token, [error.message, error.remedy].filter(Boolean).join(' '));
    if (error.code === 'ERR_NOMAD_UNAVAILABLE') throw error; // the others would wait for it, too
    return false;
  }
}

/** Ends the rows whose allocations have, and notes why others have none; answers how many allocations there may be. */
async function settle({ db, fleet }: DispatcherParts, open: Dispatch[]): Promise<number> {
  const allocations = (await fleet.nomad.allocations()).filter(({ job }) =>
    isDispatched(job, fleet.settings),
  );
  let waiting = 0;
  for (const row of open) {
    const own = allocations.filter(({ job }) => job === row.job);
    if (own.length > 0) await settlePlaced(db, row, own);
    else if (await isWaiting(db, fleet, row)) waiting++;
  }
  return waiting + allocations.filter((allocation) => !hasEnded(allocation)).length;
}

async function settlePlaced(db: Queryable, { token, wanted }: Dispatch, own: Allocation[]): Promise<void> {
  const live = own.filter((allocation) => !hasEnded(allocation));
  if (live.length === 0) {
    const { id, status, description } = own[0]!;
    const why = `Allocation ${id.slice(0, 8)} ended as ${status} without taking it: ${description}`;
    // Until it is seen to be offline, its worker would pass for room.
    const { rows } = await db.query<{ name: string }>('select name from worker where allocation = $1', [id]);
    for (const { name } of rows) await removeWorker(db, name);
    return await endDispatch(db, token, wanted ? why : null);
  }
  // Its worker has another run: the task needs an allocation of its own.
  const { rowCount } = await db.query(
    'select from worker w join run r on r.worker = w.name where w.allocation = any($1) limit 1',
    [live.map(({ id }) => id)],
  );
  if (wanted && rowCount !== 0) await endDispatch(db, token, null);
  else await noteProblem(db, token, null);
}

/** Whether it has no allocation yet; one that nobody wants any more is taken back. */
async function isWaiting(db: Queryable, { nomad }: Fleet, row: Dispatch): Promise<boolean> {
  const { token, job, evaluation, wanted } = row;
  if (job === null) return wanted;
  if ((await nomad.job(job)) === undefined) {
    await endDispatch(db, token, wanted ? `Nomad does not know ${job} any more.` : null);
    return false;
  }
  if (!wanted) {
    await nomad.stopJob(job);
    await endDispatch(db, token, null);
    return false;
  }
  // Of a repeated dispatch Nomad does not tell the evaluation.
  if (evaluation !== null && evaluation !== '') {
    const { failures } = (await nomad.evaluation(evaluation)).value;
    await noteProblem(db, token, shortageOf(failures).join('; ') || null);
  }
  return true;
}
