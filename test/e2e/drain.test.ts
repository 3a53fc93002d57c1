// A drain of a whole appliance: by the verb, by the files of a deployment, through kill -9 and restarts.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { Drain, Explanation } from '../../protocol/scheduling.ts';
import type { Status } from '../../protocol/status.ts';
import { testDatabase } from '../support/database.ts';
import { eventually, OWN_POSTGRES, startAppliance, type Appliance } from './appliance.ts';

const AUTOCODE = path.join(import.meta.dirname, '../../autocode');

/** An agent that works until the file `go` is there. */
const patient = (go: string) => `until test -e ${go}; do sleep 0.05; done; echo 42 > answer`;

const atWork = async (appliance: Appliance, task: number) =>
  await eventually(async () => {
    const [run] = await appliance.runs(task);
    return run?.state === 'working' ? run : undefined;
  }, `task ${task} to be at work`);

const drainIs = async (appliance: Appliance, state: Drain['state']) =>
  await eventually(async () => {
    const drain = await appliance.api<Drain>('GET', '/drain').catch(() => undefined);
    return drain?.state === state ? drain : undefined;
  }, `the drain to be ${state}`);

test('a drain outlives kill -9: its run ends, nothing else begins, and all goes on after drain stop', async () => {
  await using appliance = await startAppliance();
  const go = path.join(appliance.directory, 'go');
  for (const name of ['one', 'two']) await appliance.project(name, { agent: patient(go) });
  const first = await appliance.task('one');
  await atWork(appliance, first);
  const begun = JSON.parse(
    await appliance.autocode('drain', 'start', '--reason', 'new disks', '--json'),
  ) as Drain;
  assert.deepEqual(
    begun.runs.map(({ run }) => run),
    [`${first}-1`],
  );
  const second = await appliance.task('two');
  process.kill(appliance.daemonPid(), 'SIGKILL');
  await appliance.up();
  const { state, reason } = await appliance.api<Drain>('GET', '/drain');
  assert.deepEqual([state, reason], ['draining', 'new disks']);
  assert.match(await appliance.autocode('status'), /drain +degraded +no run begins/);
  assert.match(
    await appliance.autocode('schedule', 'explain', String(second)),
    /waits for the end of the drain[^]*new disks[^]*drain stop/,
  );
  writeFileSync(go, '');
  const waited = await appliance.autocode('drain', 'start', '--reason', 'new disks', '--wait');
  assert.match(waited, /drained/);
  assert.equal((await appliance.ended(first)).state, 'completed');
  assert.equal((await appliance.runs(first)).length, 1);
  assert.deepEqual(await appliance.runs(second), []);
  assert.match(await appliance.autocode('drain', 'stop'), /Runs begin again/);
  assert.equal((await appliance.ended(second)).state, 'completed');
});

test('a deployment shuts down by its files: the flag, the ready file, exit code 0, and on from there', async () => {
  const files = mkdtempSync(path.join(tmpdir(), 'deployment-'));
  const flag = path.join(files, 'IS_CONDUCTOR_SHUTTING_DOWN');
  const ready = path.join(files, 'CONDUCTOR_READY_FOR_SAFE_SHUTDOWN');
  try {
    await using appliance = await startAppliance(OWN_POSTGRES, `drain.flagFile=${flag}`);
    const settings = [`dataDir=${appliance.dataDir}`, `drain.flagFile=${flag}`];
    await appliance.autocode('down');
    const start = () => spawn(AUTOCODE, ['up', ...settings.flatMap((one) => ['--set', one])]);
    const daemon = start();
    const exit = once(daemon, 'exit');
    const go = path.join(appliance.directory, 'go');
    await eventually(
      async () => await appliance.api<Status>('GET', '/status').catch(() => undefined),
      'the daemon to answer',
    );
    for (const name of ['one', 'two']) await appliance.project(name, { agent: patient(go) });
    const first = await appliance.task('one');
    await atWork(appliance, first);
    writeFileSync(flag, 'tr');
    await eventually(
      async () => (await appliance.api<Drain>('GET', '/drain')).trouble ?? undefined,
      'the half of a word to be told',
    );
    assert.match(await appliance.autocode('drain', 'status'), /off: runs begin[^]*"tr"/);
    writeFileSync(flag, 'true\n');
    await drainIs(appliance, 'draining');
    const second = await appliance.task('two');
    assert.equal(existsSync(ready), false);
    writeFileSync(go, '');
    assert.deepEqual(await exit, [0, null]);
    assert.equal(existsSync(ready), true);

    // With the flag still true it comes to rest again.
    assert.deepEqual(await once(start(), 'exit'), [0, null]);
    assert.equal(existsSync(ready), true);

    rmSync(flag);
    await appliance.up();
    assert.equal((await appliance.ended(second)).state, 'completed');
    assert.equal(existsSync(ready), false);
    assert.deepEqual(
      [(await appliance.ended(first)).state, (await appliance.runs(first)).length],
      ['completed', 1],
    );
  } finally {
    rmSync(files, { recursive: true });
  }
});

test('all processes of a daemon end by the flag, whatever their role', async () => {
  await using db = await testDatabase({ empty: true });
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-drain-'));
  const flag = path.join(directory, 'flag');
  const env = { ...process.env, DATABASE_URL: db.url, AUTOCODE_DATA_DIR: path.join(directory, 'data') };
  const ends: Promise<unknown>[] = [];
  const stop = new AbortController();
  try {
    for (const role of ['gateway', 'scheduler', 'api']) {
      const words = ['up', '--roles', role, '--set', `drain.flagFile=${flag}`];
      const child = spawn(AUTOCODE, words, {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
        signal: stop.signal,
      });
      child.on('error', () => {}); // stopped
      ends.push(once(child, 'exit'));
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await eventually(
        () => Promise.resolve(output.includes('ready at') || undefined),
        `${role} to be ready`,
      );
    }
    writeFileSync(flag, 'true');
    assert.deepEqual(await Promise.all(ends), [
      [0, null],
      [0, null],
      [0, null],
    ]);
    assert.equal(existsSync(path.join(directory, 'CONDUCTOR_READY_FOR_SAFE_SHUTDOWN')), true);
  } finally {
    stop.abort();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a run that never ends is ended at the deadline, and its task done again after the drain', async () => {
  await using appliance = await startAppliance();
  const go = path.join(appliance.directory, 'go');
  await appliance.project('one', { agent: patient(go) });
  const task = await appliance.task('one');
  await atWork(appliance, task);
  await appliance.autocode('drain', 'start', '--deadline', '0.01', '--then', 'cancel', '--wait');
  const [run] = await appliance.runs(task);
  assert.deepEqual([run?.state, run?.cause], ['cancelled', 'platform']);
  const { waits } = await appliance.api<Explanation>('GET', `/tasks/${task}/explanation`);
  assert.equal(waits[0]?.for, 'drain');
  writeFileSync(go, '');
  await appliance.autocode('drain', 'stop');
  assert.equal((await appliance.ended(task)).state, 'completed');
  assert.equal((await appliance.runs(task)).length, 2);
});
