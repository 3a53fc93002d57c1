// A full disk: the data directory on a small file system of its own, in a mount namespace of its own (root only).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { LOG_BATCH_BYTES as BATCH_BYTES } from '../../protocol/log.ts';
import type { Status } from '../../protocol/status.ts';
import { eventually, OWN_POSTGRES, startAppliance, type Appliance } from './appliance.ts';
import { completedOnce, logsAreTrue, nothingLeft, queryOnce } from './faults/invariants.ts';
import { keepAllLogs } from './faults/moments.ts';

const SIZE_MB = 400;
/** More than what is left of the log that PostgreSQL writes ahead: it has to ask for room, too. */
const BALLAST_TABLE = `create table ballast as select md5(i::text) as text from generate_series(1, 3000000) i`;
const SETTINGS = [
  'worker.concurrency=2',
  'limits.retries.platform=9',
  'limits.retries.lost=9',
  'placement.diskFreeMib=0', // the disk of the test is small
];
const inside = process.env.AUTOCODE_OWN_MOUNTS === 'yes';
const isRoot = process.getuid?.() === 0;

if (!inside) {
  test(
    'on a full disk nothing is lost, and all goes on when there is room',
    { skip: isRoot ? false : 'only root can mount' },
    () => {
      const env = { ...process.env, AUTOCODE_OWN_MOUNTS: 'yes', NODE_TEST_CONTEXT: undefined };
      execFileSync('unshare', ['--mount', process.execPath, '--test', import.meta.filename], {
        env,
        stdio: 'inherit',
      });
    },
  );
} else {
  test('a disk that is full while a run writes its log', async () => {
    const place = mkdtempSync(path.join(tmpdir(), 'autocode-disk-'));
    const disk = path.join(place, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'autocode-test', disk]);
    process.env.TMPDIR = disk; // of the appliance: its data, its worker's state and the repositories lie there
    {
      await using appliance = await startAppliance(OWN_POSTGRES, ...SETTINGS);
      await fillAndFree(appliance, path.join(place, 'flag'));
    }
    execFileSync('umount', [disk]);
    rmSync(place, { recursive: true });
  });

  test('a full disk under the logs alone: the worker keeps the bytes, and the run goes on in the same attempt', async () => {
    process.env.TMPDIR = '';
    await using appliance = await startAppliance(OWN_POSTGRES, ...SETTINGS);
    const logs = path.join(appliance.dataDir, 'logs/worker');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'autocode-test', logs]);
    try {
      await outgrow(appliance, logs);
    } finally {
      execFileSync('umount', ['--lazy', logs]);
    }
  });
}

async function outgrow(appliance: Appliance, logs: string): Promise<void> {
  const scene = { dataDir: appliance.dataDir, kept: path.join(appliance.directory, 'kept') };
  const watching = new AbortController();
  void keepAllLogs(scene.dataDir, scene.kept, watching.signal);
  const origin = await appliance.project('loud', {
    agent: 'head -c 1500000 /dev/urandom | base64; echo 42 > answer',
  });
  const task = await appliance.task('loud');
  await eventually(
    async () => (freeBytes(logs) < BATCH_BYTES ? true : undefined),
    'the log to fill its disk',
  );
  const disk = await eventually(async () => {
    const { parts } = JSON.parse(await appliance.autocode('status', '--json')) as Status;
    return parts.find((part) => part.name === 'disk' && part.state === 'down');
  }, 'the status to tell of the full disk');
  assert.match(disk.detail, /full/);
  execFileSync('mount', ['-o', 'remount,size=64m', logs]);
  assert.equal((await appliance.ended(task)).attempt, 1);
  await completedOnce(scene, task, origin);
  assert.equal(await logsAreTrue(scene), 2);
  watching.abort();
}

async function fillAndFree(appliance: Appliance, flag: string): Promise<void> {
  const scene = { dataDir: appliance.dataDir, kept: path.join(appliance.directory, 'kept') };
  const watching = new AbortController();
  void keepAllLogs(scene.dataDir, scene.kept, watching.signal);
  const loud = `touch ${flag}.$AUTOCODE_RUN; while ! test -e ${flag}.full; do sleep 0.05; done; head -c 300000 /dev/urandom | base64; echo 42 > answer`;
  const origin = await appliance.project('loud', { agent: loud });
  const task = await appliance.task('loud');
  await eventually(async () => existsSync(`${flag}.${task}-1`) || undefined, 'the run to begin');
  const ballast = path.join(scene.dataDir, 'ballast');
  fill(ballast);
  writeFileSync(`${flag}.full`, '');
  await assert.rejects(queryOnce(scene, BALLAST_TABLE), /No space left|terminat|closed|recovery|ECONN/);
  const status = await eventually(async () => {
    const told = await appliance
      .autocode('status')
      .catch((error: Error & { stderr?: string }) => error.stderr ?? '');
    return /full/i.test(told) ? told : undefined;
  }, 'the status to tell of the full disk');
  assert.match(status, /free/i);
  rmSync(ballast);
  const ended = await appliance.ended(task);
  assert.equal(ended.state, 'completed', ended.reason ?? '');
  await completedOnce(scene, task, origin);
  await eventually(
    async () =>
      await nothingLeft(scene).then(
        () => true,
        () => undefined,
      ),
    'everything to be cleared away',
    20_000,
  ).catch(() => nothingLeft(scene));
  assert.ok((await logsAreTrue(scene)) >= 2);
  watching.abort();
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/** Takes all the room that there is. */
function fill(file: string): void {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=64k'], { stdio: 'ignore' });
  } catch {
    // dd ends when the disk is full: that is what it is for.
  }
}
