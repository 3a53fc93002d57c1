import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unusual, type Hour } from './rules.ts';

const MB = 1024 * 1024;
const QUIET: Hour = { refused: 0, bytesOut: 0, mostRefused: 0, mostBytesOut: 0, settled: true };

test('an hour is unusual by five times the largest one before, and by no less than a floor', () => {
  for (const [hour, expected] of [
    [{}, []],
    [{ bytesOut: 10 * MB - 1 }, []],
    [{ bytesOut: 10 * MB }, ['bytes-out']],
    [{ bytesOut: 10 * MB, settled: false }, []],
    [{ bytesOut: 49 * MB, mostBytesOut: 10 * MB }, []],
    [{ bytesOut: 50 * MB, mostBytesOut: 10 * MB }, ['bytes-out']],
    [{ refused: 49 }, []],
    [{ refused: 50, settled: false }, ['refusals']],
    [{ refused: 99, mostRefused: 20 }, []],
    [{ refused: 100, mostRefused: 20, bytesOut: 10 * MB }, ['refusals', 'bytes-out']],
  ] as const)
    assert.deepEqual(
      unusual({ ...QUIET, ...hour }).map(({ anomaly }) => anomaly),
      expected,
      JSON.stringify(hour),
    );
});
