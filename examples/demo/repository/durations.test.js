import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from './durations.js';

test('reads a duration of one part', () => {
  assert.equal(parseDuration('90s'), 90_000);
  assert.equal(parseDuration(' 2d '), 172_800_000);
});

test('adds up a duration of several parts', () => {
  assert.equal(parseDuration('1h 30m'), 5_400_000);
  assert.equal(parseDuration('1d2h3s'), 93_603_000);
});

test('reads back what it writes', () => {
  for (const milliseconds of [0, 1_000, 90_000, 5_400_000, 93_603_000]) {
    assert.equal(parseDuration(formatDuration(milliseconds)), milliseconds);
  }
});

test('refuses what is no duration', () => {
  for (const text of ['', '5', '5x', '1h 3x', 'soon']) {
    assert.throws(() => parseDuration(text), /not a duration/, text);
  }
});
