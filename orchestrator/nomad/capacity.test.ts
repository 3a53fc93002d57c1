import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlacementFailure } from './answers.ts';
import { shortageOf } from './capacity.ts';

function failure(what: object): PlacementFailure {
  return PlacementFailure.parse({
    NodesEvaluated: 4,
    NodesFiltered: 0,
    NodesInPool: 4,
    NodesAvailable: { dc1: 4 },
    NodesExhausted: 0,
    ...what,
  });
}

test('what lacks is named with the nodes that lack it', () => {
  const cases: [object, RegExp][] = [
    [{ DimensionExhausted: { memory: 3 } }, /^agent: 1 cannot be placed; of 4 nodes memory is used up on 3$/],
    [
      { DimensionExhausted: { cores: 4 }, CoalescedFailures: 2 },
      /^agent: 3 cannot be placed; .*cores are used up on 4$/,
    ],
    [{ DimensionExhausted: { disk: 1 } }, /disk space is used up on 1/],
    [
      { ConstraintFiltered: { 'missing compatible host volumes': 2, distinct_hosts: 2 } },
      /host volumes autocode and autocode-runner are missing on 2, one is there already on 2/,
    ],
    [{ ConstraintFiltered: { '${meta.rack} = r1': 4 } }, /\$\{meta\.rack\} = r1 on 4/],
    [{ QuotaExhausted: ['memory exhausted'] }, /quota of the namespace is reached \(memory exhausted\)/],
    [{ NodesEvaluated: 0, NodesInPool: 1, NodesAvailable: {} }, /of 1 node no node is ready$/],
    [{ NodesEvaluated: 0, NodesAvailable: { dc1: 0 } }, /no node of dc1 is ready and takes allocations/],
  ];
  for (const [what, words] of cases) assert.match(shortageOf({ agent: failure(what) }).join('\n'), words);
  assert.deepEqual(shortageOf({}), []);
});
