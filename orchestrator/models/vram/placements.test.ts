import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ModelShape } from '../../../protocol/local-model.ts';
import { footprint } from './footprint.ts';
import { hasPlacement, mostMib, placementsOf } from './placements.ts';
import type { PlannedCard } from './placements.ts';
import { cardsOf, localModel, shippedModel } from './testing/models.ts';

const place = (name: string, cards: PlannedCard[], calibration?: number) => {
  const { model, facts } = shippedModel(name);
  assert.ok('shape' in facts);
  return placementsOf(model, facts.shape, cards, calibration);
};

test('a model of its own GPUs takes its share of them, one that shares what it needs', () => {
  const [large] = place('qwen2.5-coder-32b', cardsOf(2));
  assert.deepEqual(
    [large?.gpus, large?.mib, large?.gpuMemoryUtilization, large?.tokens],
    [[0, 1], 20_879, 0.85, 79_616],
  );
  const small = place('qwen2.5-coder-1.5b', cardsOf(2));
  assert.deepEqual(
    small.map(({ gpus, mib }) => [gpus, mib]),
    [
      [[0], 6273],
      [[1], 6273],
    ],
  );
});

test('replicas that Ray Serve runs by itself have a placement together', () => {
  const { model, facts } = shippedModel('qwen2.5-coder-14b');
  assert.ok('shape' in facts);
  const two = { ...model, engine: 'ray-serve' as const, replicas: { min: 1, max: 2 } };
  const { shape } = facts;
  const gpus = (cards: PlannedCard[]) => placementsOf(two, shape, cards).map((placement) => placement.gpus);
  assert.deepEqual(gpus(cardsOf(2)), [[0, 1]]);
  assert.deepEqual(gpus(cardsOf(1)), []);
});

test('what strangers have taken is not counted on, and the emptiest GPU is preferred but by those that share', () => {
  const cards = cardsOf(2).map((card) => ({ ...card, foreignMib: card.index === 0 ? 1000 : 500 }));
  assert.deepEqual(
    place('qwen2.5-coder-14b', cards).map(({ gpus }) => gpus),
    [[1], [0]],
  );
  assert.deepEqual(
    place('qwen2.5-coder-7b', cards).map(({ gpus }) => gpus),
    [[0], [1]],
  );
  const [tight] = place('qwen2.5-coder-14b', cardsOf(1, 24_564, 3900));
  assert.equal(tight?.mib, 20_663, 'it takes what is left, which is less than its share');
  assert.deepEqual(place('qwen2.5-coder-14b', cardsOf(1, 24_564, 4200)), []);
});

test('what earlier loads took more is kept free, and is no part of the prediction', () => {
  const [placement] = place('qwen2.5-coder-1.5b', cardsOf(1), 1.1);
  assert.deepEqual([placement?.predictedMib, placement?.mib], [6273, 6901]);
  assert.deepEqual(place('qwen2.5-coder-14b', cardsOf(1), 1.25), [], 'with a quarter more it no longer fits');
});

const someCards = fc
  .array(
    fc.record({ totalMib: fc.integer({ min: 8000, max: 50_000 }), taken: fc.integer({ min: 0, max: 9000 }) }),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((cards) =>
    cards.map(({ totalMib, taken }, index) => ({ index, totalMib, foreignMib: Math.min(taken, totalMib) })),
  );
const someModel = fc.record({
  tensorParallel: fc.integer({ min: 1, max: 4 }),
  gpuMemoryUtilization: fc.integer({ min: 10, max: 98 }).map((percent) => percent / 100),
  shared: fc.boolean(),
  context: fc.integer({ min: 128, max: 40_000 }),
  sequences: fc.integer({ min: 1, max: 8 }),
});
const someShape = fc.record({
  weightsBytes: fc.integer({ min: 1e8, max: 4e10 }),
  layers: fc.integer({ min: 1, max: 80 }),
  hiddenSize: fc.constant(4096),
  heads: fc.constantFrom(8, 12, 28, 40),
  kvHeads: fc.constantFrom(1, 2, 4, 8),
  headDim: fc.constantFrom(64, 128),
  vocabulary: fc.constant(32_000),
  maxContext: fc.constant(32_768),
  dtype: fc.constant('bfloat16'),
}) satisfies fc.Arbitrary<ModelShape>;
const someCalibration = fc.constantFrom(0.8, 1, 1.07, 1.3);

test('exactly the groups of GPUs on which a share can be found are placements', () => {
  fc.assert(
    fc.property(someModel, someShape, someCards, someCalibration, (changes, shape, cards, calibration) => {
      const model = localModel(changes);
      const found = placementsOf(model, shape, cards, calibration);
      const keys = found.map(({ gpus }) => gpus.join());
      const expected = everyGroup(cards)
        .filter((group) => group.length === model.tensorParallel && runsOn(model, shape, group, calibration))
        .map((group) => group.map(({ index }) => index).join());
      assert.deepEqual(keys.toSorted(), expected.toSorted());
      assert.equal(hasPlacement(model, shape, cards, calibration), expected.length > 0);
      for (const { gpus, mib, predictedMib, tokens } of found) {
        assert.ok(gpus.every((gpu) => cards[gpu]!.totalMib - cards[gpu]!.foreignMib >= mib - 1));
        assert.ok(predictedMib >= footprint(model, shape).totalMib);
        assert.ok(tokens >= model.context * model.sequences);
      }
    }),
    { numRuns: 500 },
  );
});

test('the most that a model may be given is that of the best group', () => {
  fc.assert(
    fc.property(someModel, someCards, someCalibration, (changes, cards, calibration) => {
      const model = localModel(changes);
      const groups = everyGroup(cards).filter((group) => group.length === model.tensorParallel);
      const best = Math.max(0, ...groups.map((group) => mostMib(model, group, calibration)));
      assert.equal(mostMib(model, cards, calibration), best);
    }),
  );
});

function everyGroup<T>(cards: T[]): T[][] {
  return Array.from({ length: 2 ** cards.length }, (_, bits) =>
    cards.filter((_card, at) => (bits >> at) & 1),
  );
}

// By trying every share that the engine could be told.
function runsOn(
  model: ReturnType<typeof localModel>,
  shape: ModelShape,
  group: PlannedCard[],
  calibration: number,
): boolean {
  const { tensorParallel, context } = model;
  const { heads, kvHeads } = shape;
  if (context > shape.maxContext || heads % tensorParallel !== 0) return false;
  if (kvHeads % tensorParallel !== 0 && tensorParallel % kvHeads !== 0) return false;
  const need = footprint(model, shape).totalMib;
  for (let step = 0; step <= model.gpuMemoryUtilization * 10_000 + 1e-6; step += 1) {
    const takes = group.map(({ totalMib }) => (step * totalMib) / 10_000);
    const free = group.every(
      ({ totalMib, foreignMib }, at) => takes[at]! * calibration <= totalMib - foreignMib + 1e-6,
    );
    if (free && Math.min(...takes) >= need - 1e-6) return true;
  }
  return false;
}
