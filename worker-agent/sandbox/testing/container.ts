// What holds for sandboxes by an OCI runtime beyond what holds for all; a test file for each runtime runs it.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { processesOf } from '../../run-processes.ts';
import { processesInGroupsOf, removeCgroupsOf } from '../cgroup.ts';
import { containerHost, type ContainerHost } from '../container-host.ts';
import { openScratchConfined } from '../scratch.ts';

const POLL_MS = 5;
const PATIENCE_MS = 20_000;

/** Registers the tests. */
export function testContainer(host: ContainerHost): void {
  const { kind, runtime } = host;
  const { program } = runtime;

  test(`what a ${program} that was killed leaves ends with the program, and what a runner leaves with its control group`, async () => {
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
      // gVisor's processes are known by their group alone; its last one ends with the connection to the others.
      await eventually(async () => (await processesInGroupsOf(sandbox.directory)).length === 0);
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

  test(`without ${program}, or with one that fails, there is no sandbox and the remedy is told`, async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-no-runtime-'));
    try {
      await assert.rejects(containerHost(kind, directory), {
        code: 'ERR_SANDBOX',
        remedy: new RegExp(`Install .*${program}`),
      });
      writeFileSync(path.join(directory, program), '#!/bin/sh\necho "unknown option" >&2\nexit 1\n');
      chmodSync(path.join(directory, program), 0o755);
      await assert.rejects(containerHost(kind, directory), {
        code: 'ERR_SANDBOX',
        message: /unknown option/,
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const giveUp = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert.ok(performance.now() < giveUp, 'processes are left in the control group');
    await delay(POLL_MS);
  }
}
