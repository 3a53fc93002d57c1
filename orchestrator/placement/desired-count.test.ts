import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { desiredCount, type FleetHistory } from './desired-count.ts';

const SETTINGS = { min: 1, max: 4, queueWaitSeconds: 30, cooldownSeconds: 120, idleSeconds: 600 };
const AT_REST: FleetHistory = {
  count: 2,
  running: 0,
  runsPerWorker: 2,
  waits: [],
  secondsSinceChange: Infinity,
  idleSeconds: 0,
};

const settings = fc
  .record({
    min: fc.nat(5),
    more: fc.nat(10),
    queueWaitSeconds: fc.integer({ min: 1, max: 100 }),
    cooldownSeconds: fc.nat(500),
    idleSeconds: fc.nat(1000),
  })
  .map(({ more, ...rest }) => ({ ...rest, max: rest.min + more }));
const histories = fc.record({
  count: fc.nat(20),
  running: fc.nat(100),
  runsPerWorker: fc.nat(10),
  waits: fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 60 }),
  secondsSinceChange: fc.oneof(fc.nat(2000), fc.constant(Infinity)),
  idleSeconds: fc.nat(2000),
});

const table: [string, Partial<FleetHistory>, number, RegExp][] = [
  ['at rest it stays', {}, 2, /nothing waits/],
  ['tasks that have waited add workers for all of them', { waits: [40, 50, 60] }, 4, /3 tasks wait/],
  ['one that waits adds one', { waits: [31] }, 3, /1 tasks wait/],
  ['those that wait shortly add none', { waits: [10, 29] }, 2, /no longer than 29 s/],
  [
    'a single slow one of a hundred adds none',
    { waits: [...Array(99).fill(1), 900] },
    2,
    /no longer than 1 s/,
  ],
  ['none beyond the most', { count: 4, waits: [99] }, 4, /4 is the most/],
  ['none within the cool-down', { waits: [99], secondsSinceChange: 20 }, 2, /another 100 s/],
  ['one goes when fewer have done for long', { idleSeconds: 700 }, 1, /fewer would have done/],
  ['none goes while its runs are needed', { idleSeconds: 700, running: 4 }, 2, /nothing waits/],
  ['the least is kept', { count: 1, idleSeconds: 9999 }, 1, /nothing waits/],
  ['from none to the least at once', { count: 0, secondsSinceChange: 1 }, 1, /1 is the least/],
];
for (const [name, more, count, reason] of table) {
  test(`the count of workers: ${name}`, () => {
    const desired = desiredCount({ ...AT_REST, ...more }, SETTINGS);
    assert.equal(desired.count, count);
    assert.match(desired.reason, reason);
  });
}

test('the count stays within its limits, and moves only for a reason', () => {
  fc.assert(
    fc.property(histories, settings, (history, limits) => {
      const { count } = desiredCount(history, limits);
      assert.ok(count >= limits.min && count <= limits.max);
      const inside = history.count >= limits.min && history.count <= limits.max;
      if (inside && count > history.count) assert.ok(Math.max(...history.waits) > limits.queueWaitSeconds);
      if (inside && count < history.count) {
        assert.equal(history.waits.length, 0);
        assert.equal(count, history.count - 1);
        assert.ok(history.running <= count * Math.max(1, history.runsPerWorker));
      }
      if (inside && history.secondsSinceChange < limits.cooldownSeconds) assert.equal(count, history.count);
    }),
  );
});

test('more or longer waits never make it smaller', () => {
  fc.assert(
    fc.property(histories, settings, fc.nat(1000), (history, limits, longer) => {
      const now = desiredCount(history, limits).count;
      const waits = history.waits.map((wait) => wait + longer);
      assert.ok(desiredCount({ ...history, waits }, limits).count >= now);
      assert.ok(
        desiredCount({ ...history, waits: [...history.waits, 1001 + longer] }, limits).count >=
          Math.min(now, history.count),
      );
    }),
  );
});
