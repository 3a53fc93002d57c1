import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { together } from './together.ts';
import type { ModelPlacement } from './placements.ts';

const placement = (gpus: number[], mib: number): ModelPlacement => ({
  gpus,
  mib,
  predictedMib: mib,
  gpuMemoryUtilization: 0.5,
  tokens: 1,
});

const fits = (chosen: ModelPlacement[], free: number[]) =>
  free.every(
    (mib, gpu) => chosen.reduce((sum, each) => sum + (each.gpus.includes(gpu) ? each.mib : 0), 0) <= mib,
  );

function anyFits(options: ModelPlacement[][], free: number[], chosen: ModelPlacement[] = []): boolean {
  const [next, ...rest] = options;
  if (next === undefined) return fits(chosen, free);
  return next.some((each) => anyFits(rest, free, [...chosen, each]));
}

test('a combination is found exactly when trying all of them finds one, and it is one', () => {
  const cards = fc.array(
    fc.record({ totalMib: fc.constantFrom(10, 10, 16), foreignMib: fc.integer({ min: 0, max: 3 }) }),
    { minLength: 1, maxLength: 3 },
  );
  const models = fc.array(
    fc.array(
      fc.record({ gpus: fc.subarray([0, 1, 2], { minLength: 1 }), mib: fc.integer({ min: 1, max: 12 }) }),
      { maxLength: 4 },
    ),
    { maxLength: 5 },
  );
  let found = 0;
  fc.assert(
    fc.property(cards, models, (given, wanted) => {
      const free = given.map((card) => card.totalMib - card.foreignMib);
      const here = (gpus: number[]) => gpus.every((gpu) => gpu < given.length);
      const options = wanted.map((all) =>
        all.filter(({ gpus }) => here(gpus)).map(({ gpus, mib }) => placement(gpus, mib)),
      );
      const { placements } = together(
        options,
        given.map((card, index) => ({ ...card, index })),
      );
      assert.equal(placements !== undefined, anyFits(options, free));
      if (placements === undefined) return;
      found += 1;
      assert.equal(placements.length, options.length);
      assert.ok(placements.every((each, at) => options[at]!.includes(each)));
      assert.ok(fits(placements, free));
    }),
    { numRuns: 1000 },
  );
  assert.ok(found > 100, `${found} of the cases could be done`);
});

test('GPUs that are alike are not the same to a model that may have only one of them', () => {
  const cards = [1, 1, 0].map((foreignMib, index) => ({ index, totalMib: 10, foreignMib }));
  const options = [
    [placement([1], 6), placement([0, 1], 3)],
    [placement([1, 2], 1)],
    [placement([0, 2], 2)],
    [placement([0], 4)],
    [placement([1, 2], 3)],
  ];
  const { placements } = together(options, cards);
  assert.equal(placements?.[0], options[0]![1]);
});

test('equal GPUs are not tried over and over', () => {
  const cards = Array.from({ length: 16 }, (_, index) => ({ index, totalMib: 10, foreignMib: 0 }));
  const anywhere = cards.map(({ index }) => placement([index], 6));
  const seventeen = Array.from({ length: 17 }, () => anywhere);
  const { placements, tried } = together(seventeen, cards);
  assert.equal(placements, undefined);
  assert.ok(tried < 1000, `${tried}`);
});

test('what would take too long is refused', () => {
  const cards = Array.from({ length: 16 }, (_, index) => ({
    index,
    totalMib: 100 + index,
    foreignMib: index,
  }));
  const odd = Array.from({ length: 20 }, (_, at) => cards.map(({ index }) => placement([index], 60 + at)));
  assert.throws(() => together(odd, cards), /too many ways/);
});
