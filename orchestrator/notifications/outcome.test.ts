import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfter } from './outcome.ts';

test('Retry-After counts as seconds or as a date, for at most an hour', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  const cases: [string | null, number][] = [
    [null, 0],
    ['30', 30],
    ['999999', 3600],
    ['Sun, 01 Mar 2026 12:02:00 GMT', 120],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['soon', 0],
    ['-5', 0],
  ];
  for (const [header, seconds] of cases) assert.equal(retryAfter(header, now), seconds, String(header));
});
