// The sandbox as a container of the real crun, and what is said where there can be none. Needs root.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { containerHost } from './container-host.ts';
import { removeCgroupsOf } from './cgroup.ts';
import { processesOf } from '../run-processes.ts';
import { openScratchConfined } from './scratch.ts';
import { testConfinement } from './testing/confinement.ts';

const host = await containerHost(process.env.PATH ?? '');
testConfinement(host);

test('what a crun that was killed leaves ends with the program, and what a runner leaves with its control group', async () => {
  const sandbox = await openScratchConfined(host);
  const start = async () => {
    const child = sandbox.spawn(['sh', '-c', 'sleep 300 & echo up; wait'], {});
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return child;
  };
  try {
    const first = await start();
    process.kill(first.pid, 'SIGKILL');
    assert.equal((await first.exited).signal, 'SIGKILL');
    assert.deepEqual(processesOf(sandbox), []);
    const second = await start();
    await removeCgroupsOf(sandbox.directory);
    await second.exited;
    assert.deepEqual(processesOf(sandbox), []);
  } finally {
    await sandbox.close();
  }
  assert.ok(!existsSync(sandbox.directory));
});

test("the host's /dev/null stays the host's", async () => {
  const { uid, gid } = statSync('/dev/null');
  const sandbox = await openScratchConfined(host);
  await sandbox.spawn(['true'], {}).exited;
  await sandbox.close();
  assert.deepEqual([statSync('/dev/null').uid, statSync('/dev/null').gid], [uid, gid]);
});

test('without crun, or with one that fails, there is no container and the remedy is told', async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-no-crun-'));
  try {
    await assert.rejects(containerHost(directory), { code: 'ERR_SANDBOX', remedy: /apt install crun/ });
    writeFileSync(path.join(directory, 'crun'), '#!/bin/sh\necho "unknown option" >&2\nexit 1\n');
    chmodSync(path.join(directory, 'crun'), 0o755);
    await assert.rejects(containerHost(directory), { code: 'ERR_SANDBOX', message: /unknown option/ });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
