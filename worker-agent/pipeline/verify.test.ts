// Verify commands of every kind, as real processes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openedSandbox } from '../testing/opened-sandbox.ts';
import type { RunEventInput } from '../agents/coding-agent.ts';
import { runCheck } from './verify.ts';

async function check(
  command: string,
  { timeoutSeconds = 20, outputBytes = 64 * 1024, signal = new AbortController().signal } = {},
) {
  await using place = await openedSandbox();
  const events: RunEventInput[] = [];
  const result = await runCheck(
    place.sandbox,
    { name: 'it', command },
    { timeoutSeconds, outputBytes, signal, folderOf: () => '.', emit: (event) => events.push(event) },
  );
  return { result, events };
}

test('a command passes by exit code 0 and fails by any other', async () => {
  assert.equal((await check('true')).result.status, 'passed');
  const { result } = await check('echo out; echo err >&2; exit 7');
  assert.deepEqual([result.status, result.exitCode], ['failed', 7]);
  assert.match(result.output, /out/);
  assert.match(result.output, /err/);
});

test('a command that hangs is ended with all it started', async () => {
  const { result } = await check('trap "" TERM; sleep 300 & sleep 300', { timeoutSeconds: 0.3 });
  assert.equal(result.status, 'timed-out');
  assert.match(result.output, /ended after 0.3 s/);
});

test('what a command leaves in the background does not hold it up', async () => {
  const started = performance.now();
  assert.equal((await check('sleep 300 & setsid sleep 300 & echo done')).result.status, 'passed');
  assert.ok(performance.now() - started < 5_000);
});

test('of long output the start is in the log and the end in the result', async () => {
  const { result, events } = await check('seq 1 200000', { outputBytes: 1000 });
  const logged = events.flatMap((event) => (event.type === 'output' ? [event.text] : [])).join('');
  assert.ok(logged.startsWith('1\n2\n') && logged.length <= 1000);
  assert.ok(result.output.endsWith('200000\n') && result.output.length <= 16 * 1024);
  assert.ok(events.some((event) => event.type === 'notice'));
});

test('a command killed by a signal says so', async () => {
  assert.match((await check('kill -9 $$')).result.output, /ended by SIGKILL/);
});

test('a run that stops takes the command with it', async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('stopped')), 100);
  await assert.rejects(check('sleep 300', { signal: stop.signal }), /stopped/);
});
