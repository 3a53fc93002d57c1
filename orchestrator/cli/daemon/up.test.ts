import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Settings } from '../../../protocol/settings.ts';
import { processStartTime, readDaemonFile } from '../../config/daemon-file.ts';
import { runCli } from '../testing/run-cli.ts';
import { stopDaemon } from './stop.ts';

/** A data directory whose daemon, if any, is stopped at the end. */
function dataDirectory(t: TestContext) {
  const dataDir = mkdtempSync(join(tmpdir(), 'autocode-up-'));
  t.after(async () => {
    await stopDaemon(dataDir);
    rmSync(dataDir, { recursive: true });
  });
  const env = { AUTOCODE_DATA_DIR: dataDir, AUTOCODE_WORKER_LOCAL: 'false' };
  return { dataDir, cli: async (...words: string[]) => await runCli(words, { env }) };
}

test('up --detach returns when the daemon answers, twice is no error, down waits until it is gone', async (t) => {
  const { cli } = dataDirectory(t);
  const first = await cli('up', '--detach', '--json');
  assert.equal(first.code, 0, first.stderr);
  const { started, pid, url } = JSON.parse(first.stdout);
  assert.equal(started, true);
  assert.equal((await fetch(`${url}/api/v1/health`)).status, 200);

  assert.deepEqual(JSON.parse((await cli('up', '--detach', '--json')).stdout), { started: false, pid, url });
  const foreground = await cli('up');
  assert.equal(foreground.code, 5);
  assert.match(foreground.stderr, /ERR_DAEMON_RUNNING/);
  assert.match((await cli('status')).stdout, new RegExp(`pid ${pid}`));

  const down = await cli('down');
  assert.equal(down.code, 0);
  assert.match(down.stdout, new RegExp(`The daemon \\(pid ${pid}\\) has stopped`));
  assert.equal(processStartTime(pid), undefined);
  const again = await cli('down', '--json');
  assert.deepEqual([again.code, JSON.parse(again.stdout).stopped], [0, false]);
});

test('of several starts at once one serves, and all say so', async (t) => {
  const { dataDir, cli } = dataDirectory(t);
  const results = await Promise.all([1, 2, 3].map(() => cli('up', '--detach', '--json')));
  assert.deepEqual(
    results.map(({ code }) => code),
    [0, 0, 0],
    results.map(({ stderr }) => stderr).join('\n'),
  );
  const pids = new Set(results.map(({ stdout }) => JSON.parse(stdout).pid));
  assert.deepEqual([...pids], [readDaemonFile(dataDir)?.pid]);
});

test('a daemon that cannot start is told in its own words', async (t) => {
  const { cli } = dataDirectory(t);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { code, stderr } = await cli('up', '--detach', '--set', `api.port=${port}`);
  assert.equal(code, 6);
  assert.match(stderr, /ERR_PORT_TAKEN/);
  assert.match(stderr, new RegExp(String(port)));
});

test('what a killed daemon left behind does not hinder the next', async (t) => {
  const { dataDir, cli } = dataDirectory(t);
  const { pid } = JSON.parse((await cli('up', '--detach', '--json')).stdout);
  process.kill(pid, 'SIGKILL');
  const deadline = Date.now() + 10_000;
  while (readDaemonFile(dataDir) !== undefined && Date.now() < deadline)
    await new Promise((resolve) => setImmediate(resolve));
  assert.match((await cli('down')).stdout, /No daemon runs/);
  assert.equal((await cli('task', 'list')).code, 6);
  const next = await cli('up', '--detach', '--json');
  assert.equal(next.code, 0, next.stderr);
  assert.notEqual(JSON.parse(next.stdout).pid, pid);
});

test('a daemon file that nobody can read is a daemon that does not run', async (t) => {
  const { dataDir, cli } = dataDirectory(t);
  await cli('up', '--detach');
  await cli('down');
  writeFileSync(join(dataDir, 'run/daemon.json'), '{"pid": 1');
  assert.equal((await cli('status')).code, 6);
  assert.ok(readFileSync(join(dataDir, 'run/daemon.json')).length > 0);
});

test('asked to start anew the process takes what its file says by now, and goes on with what it had where that fails', async (t) => {
  const { dataDir, cli } = dataDirectory(t);
  const { pid, url } = JSON.parse((await cli('up', '--detach', '--json')).stdout);
  const ask = async (method: string, path: string, body?: object) => {
    const authorization = `Bearer ${readFileSync(join(dataDir, 'run/admin-token'), 'utf8').trim()}`;
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Settings };
  };
  const changedAndAnew = async (set: object): Promise<Settings> => {
    const { version, startedAt } = (await ask('GET', '/settings')).body;
    assert.equal((await ask('PATCH', '/settings', { version, set })).status, 200);
    assert.equal((await ask('POST', '/restart', { startedAt })).status, 202);
    const deadline = Date.now() + 60_000;
    for (;;) {
      const now = await ask('GET', '/settings').catch(() => undefined); // away for a moment
      if (now?.status === 200 && now.body.startedAt !== startedAt) return now.body;
      assert.ok(Date.now() < deadline, 'the daemon does not come back');
      await delay(50);
    }
  };
  const valueOf = ({ keys }: Settings, path: string) => keys.find((key) => key.path === path)?.value;

  const taken = await changedAndAnew({ 'log.level': 'warn' });
  assert.deepEqual([valueOf(taken, 'log.level'), taken.failure], ['warn', null]);
  const { startedAt } = taken;
  assert.equal((await ask('POST', '/restart', { startedAt: '2020-01-01T00:00:00Z' })).status, 409);
  assert.equal(startedAt, (await ask('GET', '/settings')).body.startedAt);

  const kept = await changedAndAnew({ 'database.url': 'postgresql://nobody@127.0.0.1:1/none' });
  assert.equal(valueOf(kept, 'database.url'), null);
  assert.match(kept.failure ?? '', /127\.0\.0\.1:1/);
  assert.match((await cli('status')).stdout, /configuration +degraded +the last restart could not take/);
  assert.equal(readDaemonFile(dataDir)?.pid, pid);
});
