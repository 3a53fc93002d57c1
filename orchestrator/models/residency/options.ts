// All that may be done with one model: which of its replicas stay, sleep, wake or go, where new ones are put, what each
// way takes of the cards and what it is worth. The rules of what is never done are here; the search chooses among the rest.
import { type Mood, restedMs, type Standing, usableCards } from './standing.ts';
import type { Instance, Placement, ResidencyState } from './state.ts';
import { worthOf } from './worth.ts';

/** A gap so short between two requests of an agent is not idleness … */
const GAP_MS = 5_000;
/** … until the model has served for so many times what it takes to bring it back, or for its residency. */
const SERVES = 8;

/** A placement where something comes or goes stands so far behind others: it would have to wait. */
const RESTLESS = 1_000;

/** What becomes of a replica; `stopping`: it is on its way already. */
export type After = 'ready' | 'asleep' | 'gone' | 'stopping';

export interface Option {
  afters: readonly { instance: Instance; after: After }[];
  loads: readonly Placement[];
  worth: number;
  /** MiB of each pool: the cards in their order, and the machine's memory as the last one. */
  uses: readonly number[];
  /** Pools of which it takes more than it has now: they must suffice. What is there may stay though they do not. */
  adds: readonly boolean[];
}

/** Whether somebody uses the replica, or is about to. */
export function inUse({ candidate }: Standing, instance: Instance): boolean {
  return instance.state === 'ready' && (instance.inFlight > 0 || candidate.waiting > 0);
}

/** The options of a model, the best first; there is always one that takes nothing new. */
export function optionsOf(standing: Standing, state: ResidencyState, mood: Mood): Option[] {
  const ways = product(
    standing.instances.map((instance) =>
      aftersOf(standing, state, instance, mood).map((after) => ({ instance, after })),
    ),
  );
  const options = ways.flatMap((afters) =>
    newPlacements(standing, state, afters, mood).map(({ loads, rank }) => {
      const worth = worthOf(standing, outcomeOf(standing, afters, loads.length, rank));
      return { afters, loads, worth, ...memoryOf(standing, state, afters, loads) };
    }),
  );
  return withoutWorse(options.sort((a, b) => b.worth - a.worth));
}

function aftersOf(standing: Standing, state: ResidencyState, instance: Instance, mood: Mood): After[] {
  const { load, sleepLevel, idleMs, loadMs, wakeMs, notBefore } = standing.candidate;
  if (instance.state === 'stopping') return ['stopping'];
  const usable = usableCards(state);
  if (!instance.placement.gpus.every((gpu) => usable.has(gpu))) return ['gone'];
  if (instance.state === 'loading') return ['ready'];
  if (instance.state === 'asleep') {
    return isWanted(standing, mood) && state.now >= notBefore
      ? ['ready', 'asleep', 'gone']
      : ['asleep', 'gone'];
  }
  const away: After[] = sleepLevel > 0 ? ['asleep', 'gone'] : ['gone'];
  // A preloaded one gives way to those who wait, not to another one: they would take turns for ever.
  const kept = load === 'pinned' || (load === 'preloaded' && mood.calm);
  if (kept && standing.serving <= standing.replicas) return ['ready'];
  if (inUse(standing, instance)) {
    return state.now - instance.since >= mood.servedMs ? ['ready', ...away] : ['ready'];
  }
  const rested = restedMs(state, instance);
  const back = sleepLevel > 0 ? wakeMs : loadMs;
  const came = state.now - instance.since < Math.min(state.residencyMs, SERVES * back);
  if (came && rested < GAP_MS) return ['ready'];
  const expired = load === 'on-demand' && rested >= Math.max(idleMs, state.residencyMs);
  return expired ? away : ['ready', ...away];
}

/** A model that is only to be there does not come while others are waited for: its load would be in their way. */
function isWanted({ candidate: { load, waiting }, serving, replicas }: Standing, { calm }: Mood): boolean {
  const more = serving > 0 && serving < replicas;
  return waiting > 0 || more || load === 'pinned' || (load === 'preloaded' && calm);
}

/** Where new replicas may be put, none among it: not before its time, and no two of a model on one card. */
function newPlacements(
  standing: Standing,
  state: ResidencyState,
  afters: Option['afters'],
  mood: Mood,
): { loads: Placement[]; rank: number }[] {
  const { candidate, instances, replicas } = standing;
  const none = { loads: [] as Placement[], rank: 0 };
  const staying = afters.filter(({ after }) => after === 'ready' || after === 'asleep');
  const moving = instances.some((instance) => instance.state === 'stopping');
  const most = replicas - staying.length;
  if (!isWanted(standing, mood) || moving || most <= 0 || state.now < candidate.notBefore) return [none];
  const usable = usableCards(state);
  const taken = new Set(staying.flatMap(({ instance }) => instance.placement.gpus));
  const changing = state.instances.filter(({ state: now }) => now === 'loading' || now === 'stopping');
  const restless = new Set(changing.flatMap(({ placement }) => placement.gpus));
  const found = [none];
  const add = (from: number, loads: Placement[], rank: number, cards: ReadonlySet<number>) => {
    for (let at = from; at < candidate.placements.length && loads.length < most; at += 1) {
      const placement = candidate.placements[at]!;
      if (placement.gpus.some((gpu) => !usable.has(gpu) || cards.has(gpu))) continue;
      const far = placement.gpus.some((gpu) => restless.has(gpu)) ? RESTLESS : 0;
      const next = { loads: [...loads, placement], rank: rank + at + far };
      found.push(next);
      add(at + 1, next.loads, next.rank, new Set([...cards, ...placement.gpus]));
    }
  };
  add(0, [], 0, taken);
  return found;
}

function outcomeOf(standing: Standing, afters: Option['afters'], loads: number, rank: number) {
  const serving = afters.filter(({ after }) => after === 'ready');
  const wakes = serving.filter(({ instance }) => instance.state === 'asleep').length;
  const gone = afters.filter(({ after }) => after === 'asleep' || after === 'gone');
  return {
    serving: serving.length + loads,
    asleep: afters.filter(({ after }) => after === 'asleep').length,
    loads,
    wakes,
    drained: gone.filter(({ instance }) => inUse(standing, instance)).length,
    rank,
  };
}

function memoryOf(
  { candidate }: Standing,
  { cards }: ResidencyState,
  afters: Option['afters'],
  loads: readonly Placement[],
): Pick<Option, 'uses' | 'adds'> {
  const uses = Array.from({ length: cards.length + 1 }, () => 0);
  const adds = Array.from({ length: cards.length + 1 }, () => false);
  const take = (gpus: readonly number[], mib: number, more: boolean) =>
    cards.forEach(({ index }, pool) => {
      if (!gpus.includes(index)) return;
      uses[pool]! += mib;
      if (more) adds[pool] = true;
    });
  for (const { instance, after } of afters) {
    const { gpus, mib } = instance.placement;
    const sleeps = after === 'asleep' || (after === 'stopping' && instance.becomes === 'asleep');
    if (after === 'ready') take(gpus, mib, instance.state === 'asleep');
    if (sleeps) take(gpus, Math.min(mib, candidate.asleepMib), false);
    // What is woken leaves the machine's memory only when those that sleep in its place are there.
    if (sleeps || (after === 'ready' && instance.state === 'asleep'))
      uses[cards.length]! += candidate.asleepHostMib;
    if (sleeps && instance.state === 'ready') adds[cards.length] = true;
  }
  for (const { gpus, mib } of loads) take(gpus, mib, true);
  return { uses, adds };
}

function product<T>(lists: readonly T[][]): T[][] {
  return lists.reduce<T[][]>(
    (made, list) => made.flatMap((head) => list.map((item) => [...head, item])),
    [[]],
  );
}

/** Without those that take as much as another one that is worth as much. */
function withoutWorse(options: readonly Option[]): Option[] {
  const kept: Option[] = [];
  for (const option of options) {
    const worse = kept.some(
      ({ uses, adds }) =>
        uses.every((mib, pool) => mib <= option.uses[pool]!) &&
        adds.every((more, pool) => !more || option.adds[pool]!),
    );
    if (!worse) kept.push(option);
  }
  return kept;
}
