// The decision loop's answer: which models are loaded, woken, put to sleep or unloaded now, and why. A pure function, asked
// again after every change by the supervisor; a simulation asks it the same way.
import { bestArrangement } from './arrangements.ts';
import { optionsOf } from './options.ts';
import { moodOf, standingsOf } from './standing.ts';
import type { Decision, ResidencyState } from './state.ts';
import { stepsTowards } from './steps.ts';

/** What is to be done now, so that what is worth the most comes to be; empty when all is as it should be. */
export function decide(state: ResidencyState): Decision[] {
  const standings = standingsOf(state);
  const mood = moodOf(state, standings);
  const groups = standings.map((standing) => optionsOf(standing, state, mood));
  const chosen = bestArrangement(groups, roomOf(state));
  return stepsTowards(state, standings, chosen);
}

/** MiB that models may take of each card and, last, of the machine while asleep. */
export function roomOf(state: ResidencyState): number[] {
  const known = new Set(state.candidates.map(({ model }) => model));
  const others = state.instances.filter(({ model }) => !known.has(model));
  const room = state.cards.map(({ index, totalMib, foreignMib, usable }) => {
    const theirs = others.filter(({ placement }) => placement.gpus.includes(index));
    return usable ? theirs.reduce((left, { placement }) => left - placement.mib, totalMib - foreignMib) : 0;
  });
  return [...room, state.hostMib];
}
