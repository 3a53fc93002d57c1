import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bestArrangement } from './arrangements.ts';
import { roomOf } from './decide.ts';
import { type Option, optionsOf } from './options.ts';
import { moodOf, standingsOf } from './standing.ts';
import type { ResidencyState } from './state.ts';
import { anyState } from './testing/states.ts';

function groupsOf(state: ResidencyState): Option[][] {
  const standings = standingsOf(state);
  return standings.map((standing) => optionsOf(standing, state, moodOf(state, standings)));
}

function fits(options: readonly Option[], room: readonly number[]): boolean {
  return room.every((mib, pool) => {
    const used = options.reduce((sum, { uses }) => sum + uses[pool]!, 0);
    return used <= mib || !options.some(({ adds }) => adds[pool]);
  });
}

const worthOfAll = (options: readonly Option[]) => options.reduce((sum, { worth }) => sum + worth, 0);

test('no arrangement of models is worth more than the one that is chosen, and it fits', () => {
  fc.assert(
    fc.property(anyState(5), (state) => {
      const [groups, room] = [groupsOf(state), roomOf(state)];
      const every = groups.reduce<Option[][]>(
        (made, group) => made.flatMap((head) => group.map((option) => [...head, option])),
        [[]],
      );
      const most = Math.max(...every.filter((options) => fits(options, room)).map(worthOfAll));
      const best = bestArrangement(groups, room);
      assert.ok(fits(best, room));
      assert.ok(worthOfAll(best) >= most - 1e-3, `${worthOfAll(best)} is less than ${most}`);
    }),
    { numRuns: 400 },
  );
});

test('each model has an option that takes nothing new', () => {
  fc.assert(
    fc.property(anyState(4), (state) => {
      for (const group of groupsOf(state)) assert.ok(group.some(({ adds }) => !adds.includes(true)));
    }),
  );
});
