// A lock dies with its owner, however that ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { tryLock, waitForLock } from './lock.ts';

test('one process holds it at a time; a killed one leaves it free', async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-lock-'));
  const script = `import { tryLock } from ${JSON.stringify(path.join(import.meta.dirname, 'lock.ts'))};
    console.log((await tryLock(${JSON.stringify(directory)}, 'test')) !== null); setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    assert.equal(String((await once(owner.stdout, 'data'))[0]).trim(), 'true');
    assert.equal(await tryLock(directory, 'test'), null);
    const other = await tryLock(directory, 'another purpose');
    assert.notEqual(other, null);
    const waiting = waitForLock(directory, 'test', AbortSignal.timeout(10_000));
    owner.kill('SIGKILL');
    await (await waiting).release();
    await (await tryLock(directory, 'test'))?.release();
    await other?.release();
  } finally {
    owner.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  }
});
