// The sandbox that isolates nothing still ends what was started in it, and hands nothing of the host to it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { processesOf } from '../run-processes.ts';
import { openedSandbox } from '../testing/opened-sandbox.ts';

test('a program gets the work tree, a home of its own and nothing of the host', async () => {
  process.env.SECRET_OF_THE_HOST = 'host-secret';
  await using place = await openedSandbox();
  const child = place.sandbox.spawn(['sh', '-c', 'pwd; env'], { env: { ADDED: 'yes' } });
  const output = await text(child.stdout);
  assert.deepEqual(await child.exited, { code: 0, signal: null });
  assert.ok(output.startsWith(`${place.sandbox.workspace}\n`));
  assert.match(output, new RegExp(`^HOME=${place.sandbox.home}$`, 'm'));
  assert.match(output, /^ADDED=yes$/m);
  assert.doesNotMatch(output, /host-secret/);
});

test('a program that is missing exits 127 and says why', async () => {
  await using place = await openedSandbox();
  const child = place.sandbox.spawn(['no-such-program'], {});
  assert.match(await text(child.stderr), /no-such-program: cannot be started/);
  assert.deepEqual(await child.exited, { code: 127, signal: null });
});

test('stdin reaches the program, and one that does not read it does no harm', async () => {
  await using place = await openedSandbox();
  const reader = place.sandbox.spawn(['cat'], { stdin: 'pipe' });
  reader.stdin!.end('hello');
  assert.equal(await text(reader.stdout), 'hello');
  const deaf = place.sandbox.spawn(['true'], { stdin: 'pipe' });
  deaf.stdin!.end('x'.repeat(1_000_000));
  assert.equal((await deaf.exited).code, 0);
});

test('nothing outlives killAll: not what ignores SIGTERM, left its session, or cleared its environment', async () => {
  await using place = await openedSandbox();
  const script =
    'trap "" TERM; setsid sh -c \'trap "" TERM; echo; sleep 300\' & env -i setsid sleep 301 & (sleep 302 &) ; echo; sleep 303';
  const child = place.sandbox.spawn(['sh', '-c', script], {});
  await once(child.stdout, 'data');
  const scope = { mark: place.directory.split('/').at(-1)!, directory: place.directory };
  assert.ok(processesOf(scope).length >= 2);
  await place.sandbox.killAll();
  assert.deepEqual(processesOf(scope), []);
});
