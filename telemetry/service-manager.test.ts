// What systemd hears, at a real socket.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { notifySocket } from '../test/support/notify-socket.ts';
import { serviceManager, takeNotifyAddress } from './service-manager.ts';

test('the address is taken out of the environment, the watchdog only where it is for this process', () => {
  const socket = '/run/systemd/notify';
  const table: [Record<string, string>, ReturnType<typeof takeNotifyAddress>][] = [
    [{}, undefined],
    [{ NOTIFY_SOCKET: '' }, undefined],
    [{ WATCHDOG_USEC: '2000000' }, undefined],
    [{ NOTIFY_SOCKET: socket }, { socket, watchdogMs: undefined }],
    [
      { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '2000000' },
      { socket, watchdogMs: 2000 },
    ],
    [
      { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '2000000', WATCHDOG_PID: '7' },
      { socket, watchdogMs: 2000 },
    ],
    [
      { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '2000000', WATCHDOG_PID: '8' },
      { socket, watchdogMs: undefined },
    ],
    [
      { NOTIFY_SOCKET: socket, WATCHDOG_USEC: 'often' },
      { socket, watchdogMs: undefined },
    ],
  ];
  for (const [env, address] of table) {
    const rest = { ...env, PATH: '/bin' };
    assert.deepEqual(takeNotifyAddress(rest, 7), address);
    assert.deepEqual(rest, { PATH: '/bin' });
  }
});

test('systemd hears that a process is ready, lives as long as it answers, and ends', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-notify-'));
  t.after(() => rmSync(directory, { recursive: true }));
  await using socket = await notifySocket(directory);
  const warnings: string[] = [];
  const manager = serviceManager({ socket: socket.path, watchdogMs: 200 }, (text) => warnings.push(text));
  let asked = 0;
  await manager.ready('serves', async () => ++asked !== 3); // the third time it is stuck
  await socket.until('WATCHDOG=1', 2);
  assert.deepEqual(socket.said.slice(0, 2), ['READY=1', 'STATUS=serves']);
  const before = Date.now();
  await socket.until('WATCHDOG=1', 3);
  assert.ok(Date.now() - before >= 900, 'one that does not answer was said to live');
  assert.equal(asked, 4);
  await manager.restarting('begins anew');
  await socket.until('STATUS=begins anew');
  assert.ok(socket.said.includes('RELOADING=1'));
  await manager.stopping('ends');
  await socket.until('STATUS=ends');
  assert.ok(socket.said.includes('STOPPING=1'));
  assert.deepEqual(warnings, []);
});

test('without systemd nothing is said, and a systemd that is away is worth a warning', async () => {
  const warnings: string[] = [];
  const none = serviceManager(undefined, (text) => warnings.push(text));
  await none.ready('serves');
  await none.stopping('ends');
  assert.equal(warnings.length, 0);
  const away = serviceManager({ socket: '/nonexistent/notify', watchdogMs: undefined }, (text) =>
    warnings.push(text),
  );
  await away.ready('serves');
  assert.match(warnings.join('\n'), /^systemd was not told READY=1, and may end this process: .+/);
});
