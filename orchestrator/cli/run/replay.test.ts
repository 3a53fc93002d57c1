import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run } from '../../../protocol/run.ts';
import { drawBoth } from './replay.ts';

test('two runs stand side by side', () => {
  const usage = { calls: 2, inputTokens: 1000, cachedTokens: 0, outputTokens: 50, costMicros: 1_000_000 };
  const passed = { status: 'passed' } as const;
  const times = { createdAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:01:00Z' };
  const run = (id: string, more: object) =>
    ({
      id,
      state: 'succeeded',
      agent: 'codex',
      agentVersion: null,
      model: 'a/b',
      iterations: 1,
      usage,
      ...times,
      ...more,
    }) as Run;
  const text = drawBoth(
    run('1-1', { checks: [{ head: passed }] }),
    run('2-1', { state: 'failed', model: '', checks: [{ head: { status: 'failed' } }, { head: passed }] }),
    'EUR',
  );
  const lines = text.split('\n').map((line) => line.trim().split(/ {2,}/));
  assert.deepEqual(lines[0], ['1-1', '2-1']);
  assert.deepEqual(lines[1], ['state', 'succeeded', 'failed']);
  assert.deepEqual(lines[3], ['model', 'a/b', '-']);
  assert.deepEqual(lines[8], ['cost', '1.00 EUR', '1.00 EUR']);
  assert.deepEqual(lines[4], ['checks', '1 of 1 passed', '1 of 2 passed']);
});
