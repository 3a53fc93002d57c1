import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineReading } from '../engine/managed.ts';
import { figuresOf } from './figures.ts';

const BEFORE: EngineReading = {
  at: 1_000,
  running: 2,
  waiting: 0,
  kvUsage: 0.25,
  generatedTokens: 10_000,
  promptTokens: 50_000,
  firstTokenSeconds: { sum: 12.5, count: 50 },
  prefix: { looked: 50_000, hit: 30_000 },
};

test('rates are those of the time between two readings', () => {
  const now: EngineReading = {
    at: 3_000,
    running: 3,
    waiting: 1,
    kvUsage: 0.5,
    generatedTokens: 10_090,
    promptTokens: 54_000,
    firstTokenSeconds: { sum: 13.7, count: 54 },
    prefix: { looked: 54_000, hit: 33_000 },
  };
  const { firstTokenMs, ...figures } = figuresOf(BEFORE, now);
  assert.deepEqual(figures, {
    running: 3,
    waiting: 1,
    kvUsage: 0.5,
    generatedTokens: 10_090,
    promptTokens: 54_000,
    tokensPerSecond: 45,
    prefixHits: 0.75,
  });
  assert.ok(Math.abs(firstTokenMs! - 300) < 1e-6);
});

test('nothing that was not seen is told: no rate of a first reading, no mean of no request, no rate across a restart', () => {
  const none = { tokensPerSecond: null, firstTokenMs: null, prefixHits: null };
  const { running, waiting, kvUsage, generatedTokens, promptTokens } = BEFORE;
  assert.deepEqual(figuresOf(undefined, BEFORE), {
    running,
    waiting,
    kvUsage,
    generatedTokens,
    promptTokens,
    ...none,
  });
  const idle = figuresOf(BEFORE, { ...BEFORE, at: 3_000, running: 0 });
  assert.deepEqual([idle.tokensPerSecond, idle.firstTokenMs, idle.prefixHits], [0, null, null]);
  const anew = figuresOf(BEFORE, { ...BEFORE, at: 3_000, generatedTokens: 4, promptTokens: 60_000 });
  assert.deepEqual([anew.tokensPerSecond, anew.firstTokenMs, anew.prefixHits], [null, null, null]);
  assert.equal(figuresOf(BEFORE, BEFORE).tokensPerSecond, null);
});
