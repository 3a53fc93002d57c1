import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { endUnknown } from './proxy-process.ts';

test('a proxy that was started and never noted is found by its argument and ended, another is not', async () => {
  const [ours, theirs] = [`confdir=/${randomUUID()}`, `confdir=/${randomUUID()}`];
  const start = async (argument: string) => {
    const child = spawn('sh', ['-c', 'echo up; sleep 300; :', 'sh', argument], { detached: true });
    await once(child.stdout, 'data');
    return child;
  };
  const [left, other] = [await start(ours), await start(theirs)];
  const ended = once(left, 'exit');
  await endUnknown(ours);
  assert.deepEqual(await ended, [null, 'SIGTERM']);
  assert.equal(other.exitCode ?? other.signalCode, null);
  for (const child of [left, other]) {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // all of it is gone
    }
  }
});
