// What is kept of runs: only whole ones, and nothing that cannot be removed.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { WorkOrder } from '../protocol/worker.ts';
import {
  createRunDirectory,
  keptRuns,
  readOrder,
  removeRunDirectory,
  runDirectory,
} from './run-directory.ts';

async function withState(use: (stateDir: string) => Promise<void>): Promise<void> {
  const stateDir = mkdtempSync(path.join(os.tmpdir(), 'autocode-state-'));
  try {
    await use(stateDir);
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

test('a work order is private, and half of one is none', async () => {
  await withState(async (stateDir) => {
    const directory = await createRunDirectory(
      stateDir,
      { run: '1-1', runToken: 'secret' } as WorkOrder,
      'w1',
    );
    assert.equal(statSync(directory.order).mode & 0o777, 0o600);
    assert.equal(statSync(directory.path).mode & 0o777, 0o700);
    assert.equal(await readOrder(directory), null);
    assert.deepEqual(readdirSync(directory.path), ['order.json', 'worker']);
  });
});

test('left-overs of removals are cleared; runs are named', async () => {
  await withState(async (stateDir) => {
    for (const name of ['1-1', '.removed-2-1-99', 'order.json.new'])
      mkdirSync(path.join(stateDir, 'runs', name), { recursive: true });
    assert.deepEqual(await keptRuns(stateDir), ['1-1']);
    assert.deepEqual(readdirSync(path.join(stateDir, 'runs')), ['1-1']);
  });
});

test('a tree with read-only directories and names that are not UTF-8 can be removed', async () => {
  await withState(async (stateDir) => {
    const directory = runDirectory(stateDir, '1-1');
    const inner = Buffer.concat([Buffer.from(`${directory.path}/`), Buffer.from([0x63, 0xe9])]);
    mkdirSync(inner, { recursive: true });
    writeFileSync(Buffer.concat([inner, Buffer.from('/file')]), 'x');
    chmodSync(inner, 0o500);
    await removeRunDirectory(directory);
    await removeRunDirectory(directory);
    assert.deepEqual(readdirSync(path.dirname(directory.path)), []);
  });
});
