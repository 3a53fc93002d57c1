// A directory that grows beyond its limit is told of, once; one that does not, never.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { endingOf } from '../pipeline/ending.ts';
import { Stopped } from '../runner/stop.ts';
import { watchGrowth } from './growth.ts';

test('what outgrows its limit is told of, with its size', async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-growth-'));
  try {
    const told: number[] = [];
    const seen: number[] = [];
    const context = { path: process.env.PATH ?? '', signal: AbortSignal.timeout(30_000) };
    const watching = watchGrowth(context, {
      directory,
      limitBytes: 2_000_000,
      seen: (bytes) => seen.push(bytes),
      exceeded: (bytes) => told.push(bytes),
    });
    writeFileSync(path.join(directory, 'large'), Buffer.alloc(3_000_000, 1));
    await watching;
    assert.equal(told.length, 1);
    assert.equal(seen.at(-1), told[0]);
    assert.ok(told[0]! >= 3_000_000 && told[0]! < 4_000_000, String(told[0]));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a watch ends with its run', async () => {
  const context = { path: process.env.PATH ?? '', signal: AbortSignal.abort() };
  const none = () => assert.fail();
  await watchGrowth(context, { directory: os.tmpdir(), limitBytes: 1, seen: none, exceeded: none });
});

test('a run that takes more than it may is the doing of its agent', () => {
  const { outcome, cause } = endingOf(new Stopped('too-big', 'No space left for this run.'));
  assert.deepEqual([outcome, cause], ['failed', 'agent']);
});
