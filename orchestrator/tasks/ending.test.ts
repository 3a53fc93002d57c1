import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterEnd, backoffSeconds } from './ending.ts';
import type { RetryCounts } from './task-state.ts';
import { POLICY } from './testing/work.ts';

const run = (retries: RetryCounts = {}, cancelRequested = false) => ({
  id: '1-1',
  cancelRequested,
  task: {
    id: 1,
    project: 1,
    state: 'running' as const,
    pendingReason: null,
    attempt: 1,
    retries,
    replayOf: null,
  },
});

test('waits double with each retry and end at an hour', () => {
  assert.deepEqual(
    [1, 2, 3, 8, 9, 50].map((n) => backoffSeconds(n, 15)),
    [15, 30, 60, 1920, 3600, 3600],
  );
  assert.equal(backoffSeconds(3, 0), 0);
});

test('each cause has its own count', () => {
  const failed = (retries: RetryCounts, cause: 'agent' | 'platform') =>
    afterEnd(run(retries), { state: 'failed', cause, reason: null }, POLICY).state;
  assert.equal(failed({}, 'agent'), 'pending');
  assert.equal(failed({ agent: 1 }, 'agent'), 'failed');
  assert.equal(failed({ agent: 1 }, 'platform'), 'pending');
  assert.equal(failed({ platform: 3 }, 'platform'), 'failed');
});

test('a cancel is honoured by every end but success', () => {
  const cancelled = run({}, true);
  assert.equal(
    afterEnd(cancelled, { state: 'lost', cause: 'lost', reason: null }, POLICY).state,
    'cancelled',
  );
  assert.equal(afterEnd(cancelled, { state: 'succeeded', reason: null }, POLICY).state, 'completed');
});

test('out of budget, a task that has begun fails; one that has not waits for funds', () => {
  const end = (begun: boolean) => afterEnd(run(), { state: 'out-of-budget', begun, reason: 'why' }, POLICY);
  assert.deepEqual(end(true), { state: 'failed', reason: 'why' });
  assert.deepEqual(end(false), {
    state: 'pending',
    pendingReason: 'budget',
    notBeforeSeconds: 900,
    reason: 'why',
  });
});
