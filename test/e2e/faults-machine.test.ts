// What a machine does to a run without killing anything: a cut network, a slow disk, a clock that jumps.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, OWN_POSTGRES, startAppliance, type Appliance } from './appliance.ts';
import { openLine } from './faults/cuttable-line.ts';
import { completedOnce, query } from './faults/invariants.ts';

const AUTOCODE = path.join(import.meta.dirname, '../../autocode');
const DAY_MS = 24 * 60 * 60 * 1000;
const distorted = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-distort-')));
after(() => rmSync(distorted, { recursive: true, force: true }));
const distort = (name: 'slow-disk' | 'clock-shift', content = '') =>
  writeFileSync(path.join(distorted, name), content);

/** A task whose run has begun, prints a line now and then, and waits for `go`. */
async function begun(appliance: Appliance, name: string) {
  const flag = path.join(appliance.directory, `flag-${name}`);
  const agent = `touch ${flag}.begun; while ! test -e ${flag}.go; do echo waiting; sleep 0.1; done; echo 42 > answer`;
  const origin = await appliance.project(name, { agent });
  const task = await appliance.task(name);
  await eventually(async () => existsSync(`${flag}.begun`) || undefined, `${name} to begin`);
  return { task, origin, go: () => writeFileSync(`${flag}.go`, '') };
}

const sceneOf = (appliance: Appliance) => ({
  dataDir: appliance.dataDir,
  kept: path.join(appliance.directory, 'kept'),
});

async function endsInItsFirstRun(appliance: Appliance, { task, origin }: { task: number; origin: string }) {
  const ended = await appliance.ended(task);
  assert.equal(ended.state, 'completed', ended.reason ?? '');
  assert.equal(ended.attempt, 1);
  await completedOnce(sceneOf(appliance), task, origin);
  const [run] = await appliance.runs(task);
  assert.deepEqual(
    run?.logs.map((log) => log.state),
    ['complete', 'complete'],
  );
}

test('a network that is cut for less and for more than the lease: the run goes on and loses nothing', async () => {
  await using appliance = await startAppliance(
    OWN_POSTGRES,
    'worker.local=false',
    'lease.leaseSeconds=4',
    'limits.retryBackoffSeconds=60',
  );
  const { url } = JSON.parse(readFileSync(path.join(appliance.dataDir, 'run/daemon.json'), 'utf8')) as {
    url: string;
  };
  const line = await openLine(url);
  const tokenFile = path.join(appliance.directory, 'worker-token');
  writeFileSync(tokenFile, await appliance.autocode('token', 'create', 'far', '--role', 'worker'));
  const words = ['worker', 'start', '--url', line.url, '--token-file', tokenFile, '--name', 'far'];
  const where = [
    '--state-dir',
    path.join(appliance.directory, 'far'),
    '--set',
    `dataDir=${appliance.dataDir}`,
  ];
  const worker = spawn(AUTOCODE, [...words, ...where], { stdio: 'ignore' });
  const ended = once(worker, 'exit');
  try {
    const first = await begun(appliance, 'short-cut');
    line.cut();
    await delay(1_500);
    line.mend();
    first.go();
    await endsInItsFirstRun(appliance, first);

    const second = await begun(appliance, 'long-cut');
    line.cut();
    const stateIs = async (state: string) => {
      const asked = `select state from run where task = $1`;
      return await eventually(async () => {
        const [row] = await query<{ state: string }>(sceneOf(appliance), asked, [second.task]);
        return row?.state === state || undefined;
      }, `the run to be ${state}`);
    };
    await stateIs('lost');
    line.mend();
    await stateIs('working');
    second.go();
    await endsInItsFirstRun(appliance, second);
  } finally {
    worker.kill('SIGTERM');
    await ended;
    line.close();
  }
});

test('a slow disk under logs and database slows a run down and breaks nothing', async () => {
  await using appliance = await startDistorted();
  await query(sceneOf(appliance), 'alter system set commit_delay = 100000');
  await query(sceneOf(appliance), 'alter system set commit_siblings = 0');
  await query(sceneOf(appliance), 'select pg_reload_conf()');
  distort('slow-disk');
  const work = await begun(appliance, 'slow');
  await delay(2_000);
  work.go();
  await endsInItsFirstRun(appliance, work);
  rmSync(path.join(distorted, 'slow-disk'));
});

test('clocks of daemon and worker that jump by days in mid-run, forth and back, change nothing', async () => {
  await using appliance = await startDistorted();
  const work = await begun(appliance, 'clock');
  for (const days of [2, -400]) {
    distort('clock-shift', String(days * DAY_MS));
    await delay(3_000); // some heartbeats, sweeps and polls with that clock
  }
  work.go();
  await endsInItsFirstRun(appliance, work);
  rmSync(path.join(distorted, 'clock-shift'));
});

/** An appliance whose daemon and worker run on a machine that can be made worse. */
async function startDistorted(): Promise<Appliance> {
  process.env.AUTOCODE_DISTORT = distorted;
  process.env.NODE_OPTIONS = `--import=${path.join(import.meta.dirname, 'faults/distort.ts')}`;
  try {
    return await startAppliance(OWN_POSTGRES);
  } finally {
    delete process.env.NODE_OPTIONS;
  }
}
