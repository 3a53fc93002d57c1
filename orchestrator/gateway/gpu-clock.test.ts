// The shares of all calls sum up to the time that the engine was busy, whatever begins and ends when.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gpuClock } from './gpu-clock.ts';

test('two calls at a time share the seconds of the GPUs', () => {
  let time = 0;
  const clock = gpuClock(2, () => time);
  const first = clock.begin();
  time += 1_000_000;
  const second = clock.begin();
  time += 1_000_000;
  assert.equal(first(), 3_000);
  time += 500_000;
  assert.equal(second(), 2_000);
  time += 9_000_000; // idle
  assert.equal(clock.busy(), 5_000);
});

test('shares sum up to the busy time', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(5_000), fc.boolean()), { minLength: 1, maxLength: 100 }),
      fc.integer({ min: 1, max: 8 }),
      (steps, gpus) => {
        let time = 0;
        const clock = gpuClock(gpus, () => time);
        const running: (() => number)[] = [];
        let sum = 0;
        for (const [wait, begins] of steps) {
          time += wait;
          if (begins) running.push(clock.begin());
          else sum += running.shift()?.() ?? 0;
        }
        for (const end of running) {
          time += 7;
          sum += end();
        }
        assert.equal(Math.round(sum * 1000), Math.round(clock.busy() * 1000));
      },
    ),
  );
});
