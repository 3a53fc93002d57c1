// What the decision loop is measured against: models changed in the order of the requests, and the model that was used the longest
// time ago giving way, as most servers of models do it. Both put to sleep, wake and protect what runs as the loop does.
import type {
  Candidate,
  Decision,
  Instance,
  Placement,
  ResidencyState,
} from '../../orchestrator/models/residency/state.ts';
import type { Policy } from '../../orchestrator/models/residency/testing/simulated.ts';

/** The model of the oldest request is brought; the one that was loaded first goes. No request goes before an older one. */
export const firstComeFirstServed: Policy = {
  inOrder: true,
  decide: (state) =>
    waitedFor(state)
      .slice(0, 1)
      .flatMap((model) => bring(state, model, ({ since }) => since)),
};

/** Each model that is waited for is brought, the oldest request first; the one that was used the longest time ago goes. */
export const leastRecentlyUsed: Policy = {
  decide(state) {
    for (const model of waitedFor(state)) {
      const decisions = bring(state, model, ({ usedAt }) => usedAt);
      if (decisions.length > 0) return decisions;
    }
    return [];
  },
};

function waitedFor(state: ResidencyState): Candidate[] {
  return state.candidates
    .filter(({ waiting }) => waiting > 0)
    .sort((a, b) => a.oldest! - b.oldest!)
    .filter(({ model }) =>
      state.instances.every((instance) => instance.model !== model || instance.state === 'asleep'),
    );
}

/** Loads or wakes a model where the fewest must go for it; those first, one after the other. */
function bring(state: ResidencyState, candidate: Candidate, age: (instance: Instance) => number): Decision[] {
  const asleep = state.instances.find(({ model }) => model === candidate.model);
  const places = asleep ? [asleep.placement] : candidate.placements;
  const ways = places.flatMap((placement) => {
    const leave = leaving(state, candidate, placement, age);
    return leave ? [{ placement, leave }] : [];
  });
  const [way] = ways.sort((a, b) => a.leave.length - b.leave.length);
  if (way === undefined) return [];
  if (way.leave.length > 0) return way.leave.map((instance) => awayWith(state, instance));
  const { model } = candidate;
  if (asleep) return [{ action: 'wake', model, replica: 0, reason: '' }];
  return [{ action: 'load', model, replica: 0, placement: way.placement, reason: '' }];
}

/** Who must go so that it fits; undefined where that cannot be now. */
function leaving(
  state: ResidencyState,
  { model }: Candidate,
  { gpus, mib }: Placement,
  age: (instance: Instance) => number,
): Instance[] | undefined {
  const others = state.instances.filter((other) => other.model !== model);
  if (others.some(({ state: now, placement }) => now === 'stopping' && meet(placement.gpus, gpus)))
    return undefined;
  const idle = others.filter(
    ({ state: now, inFlight }) => (now === 'ready' || now === 'asleep') && inFlight === 0,
  );
  const [awake, asleep] = [
    idle.filter(({ state: now }) => now === 'ready'),
    idle.filter(({ state: now }) => now === 'asleep'),
  ];
  const oldest = (a: Instance, b: Instance) => age(a) - age(b);
  const leave: Instance[] = [];
  for (const victim of [undefined, ...awake.sort(oldest), ...asleep.sort(oldest)]) {
    if (victim) leave.push(victim);
    const short = gpus.filter((gpu) => {
      const held = others
        .filter(({ placement }) => placement.gpus.includes(gpu))
        .reduce((sum, other) => sum + mibOf(state, other, leave.includes(other)), 0);
      return held + mib > state.cards[gpu]!.totalMib;
    });
    if (short.length === 0) return leave.filter(({ placement }) => meet(placement.gpus, gpus));
  }
  return undefined;
}

function mibOf(
  { candidates }: ResidencyState,
  { model, state, placement }: Instance,
  leaves: boolean,
): number {
  const { asleepMib } = candidates.find((candidate) => candidate.model === model)!;
  if (state === 'asleep') return leaves ? 0 : asleepMib;
  return leaves ? asleepMib : placement.mib;
}

function awayWith(state: ResidencyState, { model, replica, state: now }: Instance): Decision {
  const asleep = state.instances
    .filter((other) => other.state === 'asleep' || other.state === 'stopping' || other.model === model)
    .map((other) => state.candidates.find((candidate) => candidate.model === other.model)!.asleepHostMib);
  const { sleepLevel } = state.candidates.find((candidate) => candidate.model === model)!;
  const room = sleepLevel > 0 && asleep.reduce((sum, mib) => sum + mib, 0) <= state.hostMib;
  return { action: room && now === 'ready' ? 'sleep' : 'unload', model, replica, reason: '' };
}

function meet(a: readonly number[], b: readonly number[]): boolean {
  return a.some((gpu) => b.includes(gpu));
}
