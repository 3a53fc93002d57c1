import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryText, processorText, sandboxText } from './sandbox.ts';

const sandboxUsage = {
  memoryMib: 212,
  peakMib: 1536,
  cpuSeconds: 75.4,
  cores: 0.98,
  processes: 4,
  diskMib: 12,
};
const AT_WORK = { sandboxUsage, leaseUntil: '2026-11-20T10:00:00.000Z' };
const ENDED = { sandboxUsage, leaseUntil: null };

test('a run at work tells what it uses now, one that has ended what it used, one of an old worker nothing', () => {
  const idle = { ...sandboxUsage, memoryMib: 0 };
  const words = [AT_WORK, ENDED, { ...AT_WORK, sandboxUsage: null }, { ...ENDED, sandboxUsage: null }].map(
    (run) => [sandboxText(run), memoryText(run, 512), processorText(run)],
  );
  assert.deepEqual(words, [
    [
      '212 MiB of memory (1.5 GiB at most), 0.98 cores (1 m 15 s of processor time), 4 processes, 12 MiB of files',
      '212 MiB of 512 MiB',
      '0.98 cores',
    ],
    ['1.5 GiB of memory at most, 1 m 15 s of processor time, 12 MiB of files', '1.5 GiB at most', '1 m 15 s'],
    [null, 'not known', '-'],
    [null, '-', '-'],
  ]);
  assert.equal(memoryText({ ...AT_WORK, sandboxUsage: idle }, undefined), '0 MiB');
});
