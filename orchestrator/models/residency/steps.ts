// From what runs to the arrangement that was chosen: the steps that can be taken at once. What cannot be done yet, because its
// memory is not back or a card is not at rest, is not among them: it comes when the loop asks again.
import type { Option } from './options.ts';
import { inUse } from './options.ts';
import { type Arrival, whyArrives, whyLeaves } from './reasons.ts';
import { type Standing, usableCards } from './standing.ts';
import type { Candidate, Decision, Instance, ResidencyState } from './state.ts';

/** The decisions that lead to the chosen options, which are in the order of the standings. */
export function stepsTowards(
  state: ResidencyState,
  standings: readonly Standing[],
  chosen: readonly Option[],
): Decision[] {
  const ledger = holdings(state);
  const arrivals = standings.flatMap((standing, at) => arrivalsOf(standing, chosen[at]!));
  const departures = standings.flatMap((standing, at) =>
    departuresOf(state, standing, chosen[at]!, arrivals, ledger),
  );
  return [...departures, ...strangersLeaving(state), ...arriving(state, arrivals, ledger)];
}

/** What is held of each card and of the machine now, and which cards are not at rest. */
interface Holdings {
  cards: Map<number, number>;
  hostMib: number;
  /** A model is loaded there: it measures what is free, so that nothing may come or go beside it. */
  loading: Set<number>;
  /** Memory is being given back there. */
  leaving: Set<number>;
}

function holdings(state: ResidencyState): Holdings {
  const candidates = new Map(state.candidates.map((candidate) => [candidate.model, candidate]));
  const held: Holdings = { cards: new Map(), hostMib: 0, loading: new Set(), leaving: new Set() };
  for (const instance of state.instances) {
    const candidate = candidates.get(instance.model);
    const mib = instance.state === 'asleep' ? asleepMib(candidate, instance) : instance.placement.mib;
    if (instance.state === 'asleep' || instance.becomes === 'asleep')
      held.hostMib += candidate?.asleepHostMib ?? 0;
    for (const gpu of instance.placement.gpus) {
      held.cards.set(gpu, (held.cards.get(gpu) ?? 0) + mib);
      if (instance.state === 'loading') held.loading.add(gpu);
      if (instance.state === 'stopping') held.leaving.add(gpu);
    }
  }
  return held;
}

function asleepMib(candidate: Candidate | undefined, { placement }: Instance): number {
  return Math.min(placement.mib, candidate?.asleepMib ?? placement.mib);
}

function arrivalsOf(standing: Standing, option: Option): Arrival[] {
  const woken = option.afters
    .filter(({ instance, after }) => after === 'ready' && instance.state === 'asleep')
    .map(({ instance }) => ({ standing, placement: instance.placement, woken: instance }));
  const used = new Set(standing.instances.map(({ replica }) => replica));
  const loaded = option.loads.map((placement) => ({ standing, placement, replica: lowestFree(used) }));
  return [...woken, ...loaded];
}

function lowestFree(used: Set<number>): number {
  let replica = 0;
  while (used.has(replica)) replica += 1;
  used.add(replica);
  return replica;
}

function departuresOf(
  state: ResidencyState,
  standing: Standing,
  option: Option,
  arrivals: readonly Arrival[],
  held: Holdings,
): Decision[] {
  const { model, asleepHostMib } = standing.candidate;
  const usable = usableCards(state);
  const decisions: Decision[] = [];
  for (const { instance, after } of option.afters) {
    if ((after !== 'asleep' && after !== 'gone') || after === instance.state) continue;
    const { gpus } = instance.placement;
    const lost = gpus.filter((gpu) => !usable.has(gpu));
    const reason = whyLeaves(state, standing, instance, after, arrivals);
    const named = { model, replica: instance.replica, reason };
    if (lost.length > 0) {
      decisions.push({ ...named, action: 'unload', as: 'degrade' });
    } else if (gpus.some((gpu) => held.loading.has(gpu))) {
      continue;
    } else if (instance.state === 'ready' && instance.inFlight > 0) {
      decisions.push({ ...named, action: 'drain' });
      continue;
    } else if (after === 'asleep') {
      if (held.hostMib + asleepHostMib > state.hostMib) continue;
      held.hostMib += asleepHostMib;
      decisions.push({ ...named, action: 'sleep', ...asScale(standing, instance) });
    } else {
      decisions.push({ ...named, action: 'unload', ...asScale(standing, instance) });
    }
    for (const gpu of gpus) held.leaving.add(gpu);
  }
  return decisions;
}

function asScale(standing: Standing, instance: Instance): { as?: 'scale' } {
  const surplus = standing.serving > standing.replicas && !inUse(standing, instance);
  return surplus && instance.state === 'ready' ? { as: 'scale' } : {};
}

/** What runs of models that the catalogue no longer has goes when nobody uses it. */
function strangersLeaving(state: ResidencyState): Decision[] {
  const known = new Set(state.candidates.map(({ model }) => model));
  return state.instances
    .filter(({ model, state: now, inFlight }) => !known.has(model) && now !== 'stopping' && inFlight === 0)
    .map(({ model, replica }) => ({
      action: 'unload',
      model,
      replica,
      reason: `${model} is unloaded: the catalogue has it no longer`,
    }));
}

/** The arrivals for which the memory is there, those that are worth the most first; one at a time on a card. */
function arriving(state: ResidencyState, arrivals: readonly Arrival[], held: Holdings): Decision[] {
  const cards = new Map(state.cards.map((card) => [card.index, card]));
  const decisions: Decision[] = [];
  for (const arrival of arrivals.toSorted((a, b) => urgency(b) - urgency(a))) {
    const { standing, placement, woken } = arrival;
    const had = woken ? asleepMib(standing.candidate, woken) : 0;
    const possible = placement.gpus.every((gpu) => {
      const { totalMib, foreignMib } = cards.get(gpu)!;
      const rests = !held.loading.has(gpu) && !held.leaving.has(gpu);
      return rests && (held.cards.get(gpu) ?? 0) - had + placement.mib <= totalMib - foreignMib;
    });
    if (!possible) continue;
    for (const gpu of placement.gpus) {
      held.cards.set(gpu, (held.cards.get(gpu) ?? 0) - had + placement.mib);
      held.loading.add(gpu);
    }
    decisions.push(decisionOf(state, arrival));
  }
  return decisions;
}

function decisionOf(state: ResidencyState, arrival: Arrival): Decision {
  const { standing, placement, woken } = arrival;
  const { model } = standing.candidate;
  const usable = usableCards(state);
  const moved = standing.instances.some(({ placement: was }) => was.gpus.some((gpu) => !usable.has(gpu)));
  const as = moved ? { as: 'degrade' as const } : standing.serving > 0 ? { as: 'scale' as const } : {};
  const reason = whyArrives(state, arrival);
  return woken
    ? { action: 'wake', model, replica: woken.replica, reason, ...as }
    : { action: 'load', model, replica: arrival.replica!, placement, reason, ...as };
}

function urgency({ standing: { candidate, turn, waitedMs } }: Arrival): number {
  const policy = candidate.load === 'pinned' ? 1e12 : 0;
  return policy + turn * 1e6 + candidate.waiting * 1e3 + waitedMs / 1e3;
}
