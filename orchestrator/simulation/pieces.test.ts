// The pure pieces: durations, what chance draws, the order of what happens, messages, expectations.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Scenario } from '../../protocol/scenario.ts';
import { ends, takes, uniform } from './draw.ts';
import { seconds, written } from './duration.ts';
import { judge } from './expectations.ts';
import { numbered } from './messages.ts';
import type { Observed, ObservedTask } from './observe.ts';
import { quietChange } from './quiet-change.ts';
import { Timeline } from './timeline.ts';

test('a duration is read as it was written', () => {
  for (const [text, wanted] of [
    ['90s', 90],
    ['1h30m', 5400],
    ['1.5m', 90],
    ['2d', 172_800],
    ['250ms', 0.25],
    ['-2h', -7200],
  ] as const)
    assert.equal(seconds(text), wanted);
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 1e9 }), (ms) => seconds(written(ms / 1000)) * 1000 - ms < 0.01),
  );
  assert.equal(written(5430.02), '1h30m30s20ms');
});

test('what is drawn depends on the seed and the names alone, and keeps to its distribution', () => {
  assert.equal(uniform(1, 'a'), uniform(1, 'a'));
  assert.notEqual(uniform(1, 'a'), uniform(2, 'a'));
  const attempt = { takes: { median: '10m', p90: '30m' }, ends: { verified: 3, failed: 1 } } as const;
  const drawn = Array.from({ length: 2000 }, (_, n) => takes(attempt, 1, n)).toSorted(
    (one, other) => one - other,
  );
  assert.ok(Math.abs(drawn[1000]! - 600) < 60, `median ${drawn[1000]}`);
  assert.ok(Math.abs(drawn[1800]! - 1800) < 240, `90th percentile ${drawn[1800]}`);
  const failed = Array.from({ length: 2000 }, (_, n) => ends(attempt, 1, n)).filter(
    (end) => end === 'failed',
  ).length;
  assert.ok(Math.abs(failed - 500) < 80, `${failed} of 2000`);
});

test('things happen in the order of their times, and of one time in the order in which they were added', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
      const timeline = new Timeline<number>();
      times.forEach((at, what) => timeline.add(at, what));
      const wanted = times.map((at, what) => ({ at, what })).toSorted((one, other) => one.at - other.at);
      const happened = times.map(() => timeline.next()!);
      assert.deepEqual(
        happened.map(({ at, what }) => ({ at, what })),
        wanted,
      );
      assert.equal(timeline.next(), undefined);
    }),
  );
  const timeline = new Timeline<string>();
  timeline.add(1, 'later');
  timeline.add(1, 'first', true);
  assert.equal(timeline.next()!.what, 'first');
});

test('numbers in texts count the arrivals', () => {
  assert.equal(numbered('alarm {n} of account-{n%17}', 35), 'alarm 35 of account-1');
});

test('quiet hours change at the next minute in which they do, also in the night without an hour', () => {
  const night = [
    { days: ['sat', 'sun'] as const, from: '22:00', to: '06:00', timeZone: 'Europe/Berlin', except: [] },
  ];
  const hours = night.map((each) => ({ ...each, days: [...each.days] }));
  const at = (time: string) => quietChange(new Date(time), [hours])?.toISOString();
  assert.equal(at('2026-03-28T20:30:00Z'), '2026-03-28T21:00:00.000Z');
  assert.equal(at('2026-03-28T23:30:00Z'), '2026-03-29T04:00:00.000Z');
  assert.equal(quietChange(new Date(), []), undefined);
});

test('an expectation says what was found instead', () => {
  const task = (name: string, came: number, began: number | null) =>
    ({ name, came, began, ended: null, project: 'p' }) as unknown as ObservedTask;
  const observed = {
    seconds: 1000,
    tasks: [task('one', 0, 60), task('other', 0, null)],
    runs: [{ task: 'one', at: 60 }],
  } as unknown as Observed;
  const found = (expectation: object) => {
    const { expect } = Scenario.parse({
      about: 'x',
      workers: [{ name: 'w' }],
      projects: [{ name: 'p' }],
      expect: [{ that: 'x', ...expectation }],
    });
    return judge(expect, observed)[0]!.found;
  };
  assert.equal(found({ count: 2 }), '');
  assert.equal(found({ count: 3 }), '2 tasks, not 3');
  assert.equal(found({ where: { name: 'o*' }, atMost: 1 }), '2 tasks, more than 1');
  assert.equal(found({ where: { name: 'none' }, atLeast: 1 }), '0 tasks, fewer than 1');
  assert.equal(found({ where: { name: 'one' }, waitsAtMost: '1m' }), '');
  assert.equal(found({ waitsAtMost: '1m' }), 'the longest wait is 16m40s');
  assert.equal(found({ where: { name: 'none' }, waitsAtMost: '1m' }), 'the longest wait is none');
  assert.equal(found({ of: 'runs', begins: ['one at 1m'] }), '');
  assert.equal(found({ of: 'runs', begins: ['other at 1m'] }), 'began one at 1m');
});
