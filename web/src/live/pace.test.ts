import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paced } from './pace.ts';

test('what goes on to change is asked for less and less often, and soon again after it was quiet', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  t.mock.method(performance, 'now', () => Date.now());
  const done: number[] = [];
  const began = Date.now();
  const pace = paced(async () => {
    done.push(Date.now() - began);
    return false;
  }, 500);
  const pass = async (ms: number, asked: boolean) => {
    for (let n = 0; n < ms; n += 100) {
      if (asked) pace.soon();
      t.mock.timers.tick(100);
      await Promise.resolve();
      await Promise.resolve();
    }
  };
  await pass(16_000, true);
  assert.deepEqual(done.slice(0, 5), [500, 1500, 3500, 7500, 11_500]);
  await pass(10_000, false);
  const before = done.length;
  await pass(600, true);
  assert.equal(done.length, before + 1);
});

test('work that has more to do goes on by itself until it is stopped', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  let times = 0;
  const pace = paced(async () => (times += 1) > 0, 500);
  pace.now();
  for (let n = 0; n < 3; n++) {
    await Promise.resolve();
    await Promise.resolve();
    t.mock.timers.tick(4_000);
  }
  assert.equal(times, 4);
  pace.stop();
  t.mock.timers.tick(10_000);
  assert.equal(times, 4);
});
