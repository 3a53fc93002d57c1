// How a model stands: what serves it, who waits for it, whether it is its turn, how many replicas it should have.
// Made once for each answer of the decision loop; options.ts and worth.ts read it.
import type { Candidate, Instance, ResidencyState } from './state.ts';

export interface Standing {
  candidate: Candidate;
  instances: readonly Instance[];
  /** Replicas that take requests or soon will. */
  serving: number;
  /** It may be loaded, on cards that can be used. */
  loadable: boolean;
  /** The longest that a request has waited for it. */
  waitedMs: number;
  /** Until somebody serves it, once there is room. */
  bringMs: number;
  /** Since it was used; 0 while it is, infinite for a model that has no replica. */
  idleMs: number;
  /** More than 0: those in its way finish what they have and go. How often the longest wait has passed, for a request. */
  turn: number;
  /** Replicas that it should have while it is needed. */
  replicas: number;
}

/** What holds for all models. */
export interface Mood {
  /** How long one that is in use has been there, at least, before it gives way to one whose turn it is; infinite when it is nobody's. */
  servedMs: number;
  /** Nobody waits for a model that is not there and could be. */
  calm: boolean;
}

/** Changes that take long come seldom: there is more time for work than for them. */
const WORK = 2;
const BUSY_PERCENT = 90;

/** The standing of every model. */
export function standingsOf(state: ResidencyState): Standing[] {
  const usable = usableCards(state);
  return state.candidates.map((candidate) => {
    const instances = state.instances.filter(({ model }) => model === candidate.model);
    const onCards = instances.filter(({ placement }) => placement.gpus.every((gpu) => usable.has(gpu)));
    const serving = onCards.filter(({ state: now }) => now === 'ready' || now === 'loading').length;
    const waitedMs = candidate.oldest === null ? 0 : Math.max(0, state.now - candidate.oldest);
    const loadable =
      state.now >= candidate.notBefore &&
      candidate.placements.some(({ gpus }) => gpus.every((gpu) => usable.has(gpu)));
    return {
      candidate,
      instances,
      serving,
      loadable,
      waitedMs,
      bringMs: instances.some((instance) => instance.state === 'asleep')
        ? candidate.wakeMs
        : candidate.loadMs,
      idleMs: idleMs(state, candidate, instances),
      turn: serving > 0 || !loadable ? 0 : turnOf(state, candidate, waitedMs),
      replicas: replicasOf(state, candidate, onCards),
    };
  });
}

/** The mood of all of them. */
export function moodOf({ residencyMs }: ResidencyState, standings: readonly Standing[]): Mood {
  const changes = standings.filter(({ turn }) => turn > 0).map(({ bringMs }) => WORK * bringMs);
  const missed = standings.some(
    ({ serving, loadable, candidate }) => serving === 0 && loadable && candidate.waiting > 0,
  );
  return { servedMs: Math.max(residencyMs, Math.min(Infinity, ...changes)), calm: !missed };
}

/** Indexes of the cards that models may be on. */
export function usableCards(state: ResidencyState): Set<number> {
  return new Set(state.cards.filter(({ usable }) => usable).map(({ index }) => index));
}

/** Since an instance was used, or became what it is. */
export function restedMs(state: ResidencyState, { inFlight, usedAt, since }: Instance): number {
  return inFlight > 0 ? 0 : state.now - Math.max(usedAt, since);
}

function idleMs(state: ResidencyState, { waiting }: Candidate, instances: readonly Instance[]): number {
  if (waiting > 0 && instances.length > 0) return 0;
  return Math.min(Infinity, ...instances.map((instance) => restedMs(state, instance)));
}

function turnOf(state: ResidencyState, { load, waiting }: Candidate, waitedMs: number): number {
  const passed =
    waiting > 0 && waitedMs >= state.longestWaitMs ? waitedMs / Math.max(1, state.longestWaitMs) : 0;
  return load === 'pinned' ? Math.max(1, passed) : passed;
}

/** One more when all of them are full or their GPUs are; one less when the others would do with half of what they take. */
function replicasOf(state: ResidencyState, candidate: Candidate, instances: readonly Instance[]): number {
  const { waiting, sequences, replicas } = candidate;
  const ready = instances.filter((instance) => instance.state === 'ready');
  const moving = instances.some((instance) => instance.state === 'loading' || instance.state === 'stopping');
  const serving = ready.length + instances.filter((instance) => instance.state === 'loading').length;
  const inFlight = ready.reduce((sum, instance) => sum + instance.inFlight, 0);
  const full = waiting > 0 && inFlight >= sequences * ready.length;
  const hot =
    inFlight >= 0.75 * sequences * ready.length &&
    ready.every(({ utilisation = 0 }) => utilisation >= BUSY_PERCENT);
  const rested = ready.some((instance) => restedMs(state, instance) >= state.residencyMs);
  const spare = rested && waiting === 0 && inFlight <= 0.5 * sequences * (serving - 1);
  const change = moving || ready.length === 0 ? 0 : full || hot ? 1 : spare ? -1 : 0;
  return Math.min(replicas.max, Math.max(replicas.min, serving + change));
}
