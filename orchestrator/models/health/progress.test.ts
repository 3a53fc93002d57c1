import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineReading } from '../engine/managed.ts';
import { progressWatch } from './progress.ts';

const BUSY: EngineReading = {
  at: 0,
  running: 1,
  waiting: 0,
  kvUsage: 0.1,
  generatedTokens: 100,
  promptTokens: 1_000,
  firstTokenSeconds: { sum: 1, count: 4 },
  prefix: { looked: 1_000, hit: 0 },
};

/** The verdict of each reading, ten seconds apart, with a limit of a minute. */
function verdicts(readings: Partial<EngineReading>[]): boolean[] {
  const watch = progressWatch(60_000);
  return readings.map((reading, at) => watch.seen({ ...BUSY, ...reading, at: at * 10_000 }));
}

const times = (count: number, reading: (at: number) => Partial<EngineReading>) =>
  Array.from({ length: count }, (_, at) => reading(at));

test('an engine with requests that brings nothing for the time is stuck, and not before', () => {
  assert.deepEqual(verdicts(times(8, () => ({}))), [false, false, false, false, false, false, true, true]);
});

test('an engine that generates, reads a long prompt or has nothing to do is not stuck', () => {
  const kinds: Record<string, (at: number) => Partial<EngineReading>> = {
    generates: (at) => ({ generatedTokens: 100 + at }),
    'has read a prompt': (at) => ({ promptTokens: 1_000 + 8_000 * at }),
    'fills its cache with a prompt': (at) => ({ kvUsage: 0.1 + at / 100 }),
    idle: () => ({ running: 0 }),
    'has a queue alone': () => ({ running: 0, waiting: 3 }),
  };
  for (const [kind, reading] of Object.entries(kinds))
    assert.ok(!verdicts(times(20, reading)).includes(true), kind);
});

test('the time counts from the beginning of the work, and anew after any movement', () => {
  const idle = times(20, () => ({ running: 0 }));
  assert.deepEqual(verdicts([...idle, ...times(6, () => ({}))]).at(-1), false);
  assert.deepEqual(verdicts([...idle, ...times(7, () => ({}))]).at(-1), true);
  assert.deepEqual(verdicts([...times(7, () => ({})), { generatedTokens: 101 }]).slice(-2), [true, false]);
});
