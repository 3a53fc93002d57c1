import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { cgroupParents } from './cgroup-parents.ts';
import { openCgroup, removeCgroupsOf } from './cgroup.ts';

const LIMITS = { memoryMb: 64, pids: 20, cpus: 0.5 };

function temporary(): Disposable & { directory: string } {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-cgroup-'));
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}

/** A process in the group that ignores what can be ignored, with a child of its own. */
async function sleeper(joinFiles: string[]): Promise<number> {
  const script = 'for each do echo 0 > "$each"; done; trap "" TERM; setsid sleep 300 & echo up; wait';
  const child = spawn('sh', ['-c', script, 'sh', ...joinFiles], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  return child.pid!;
}

test('a group is killed and removed with all that is in it', async (context) => {
  const parents = await cgroupParents();
  if (parents === null) return context.diagnostic('this user can make no control groups');
  using place = temporary();
  const group = await openCgroup({
    name: `autocode-test-${process.pid}`,
    limits: LIMITS,
    runDirectory: place.directory,
    parents,
  });
  assert.ok(group);
  const pid = await sleeper(group.joinFiles);
  const members = () =>
    group.joinFiles.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean));
  assert.ok(members().includes(String(pid)));
  await group.kill();
  assert.deepEqual(members(), []);
  await group.remove();
  assert.deepEqual(group.joinFiles.filter(existsSync), []);
  assert.deepEqual(readdirSync(place.directory), [], 'the record is gone too');
});

test('what a dead runner left is removed by its record, live processes and all', async (context) => {
  const parents = await cgroupParents();
  if (parents === null) return context.diagnostic('this user can make no control groups');
  using place = temporary();
  const group = await openCgroup({
    name: `autocode-left-${process.pid}`,
    limits: LIMITS,
    runDirectory: place.directory,
    parents,
  });
  await sleeper(group!.joinFiles);
  writeFileSync(path.join(place.directory, 'broken.cgroup.json'), '{');
  await removeCgroupsOf(place.directory);
  assert.deepEqual(group!.joinFiles.filter(existsSync), []);
  assert.deepEqual(readdirSync(place.directory), []);
  await removeCgroupsOf(place.directory);
  await removeCgroupsOf('/nonexistent');
});

test('a group of version 2 is killed by the kernel at once', async (context) => {
  const mount = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((line) => line.includes(' - cgroup2 '))
    ?.split(' ')[4];
  const group = path.join(mount ?? '', `autocode-two-${process.pid}`);
  try {
    mkdirSync(group);
  } catch {
    return context.diagnostic('no group of version 2 can be made here');
  }
  using place = temporary();
  await sleeper([path.join(group, 'cgroup.procs')]);
  writeFileSync(path.join(place.directory, 'g.cgroup.json'), JSON.stringify([group]));
  await removeCgroupsOf(place.directory);
  assert.ok(!existsSync(group));
});

test('version 2 has the limits in one directory, version 1 in one each', async () => {
  using place = temporary();
  const at = (name: string) => path.join(place.directory, name);
  const read = (file: string) => readFileSync(at(file), 'utf8');
  mkdirSync(at('two'));
  const second = await openCgroup({
    name: 'g',
    limits: LIMITS,
    runDirectory: place.directory,
    parents: { version: 2, directories: { memory: at('two'), pids: at('two'), cpu: at('two') } },
  });
  assert.deepEqual(
    ['memory.max', 'memory.swap.max', 'pids.max', 'cpu.max'].map((file) => read(`two/g/${file}`)),
    ['67108864', '0', '20', '50000 100000'],
  );
  const figures = {
    'memory.current': '900000',
    'memory.stat': 'anon 300000\ninactive_file 200000\nactive_file 100000\nslab_reclaimable 50000',
    'pids.current': '7',
    'cpu.stat': 'usage_usec 2500000\nuser_usec 1',
  };
  for (const [file, text] of Object.entries(figures)) writeFileSync(at(`two/g/${file}`), `${text}\n`);
  assert.deepEqual(await second!.used(), { memoryBytes: 550_000, cpuSeconds: 2.5, processes: 7 });
  const one = Object.fromEntries(['memory', 'pids', 'freezer', 'cpu'].map((name) => [name, at(name)])) as {
    memory: string;
    pids: string;
    freezer: string;
    cpu: string;
  };
  const group = await openCgroup({
    name: 'g',
    limits: { ...LIMITS, cpus: 0 },
    runDirectory: place.directory,
    parents: { version: 1, directories: one },
  });
  assert.deepEqual([read('memory/g/memory.limit_in_bytes'), read('pids/g/pids.max')], ['67108864', '20']);
  assert.ok(!existsSync(at('cpu/g/cpu.cfs_quota_us')), 'no limit of time');
  assert.equal(group?.joinFiles.length, 4);
});

test('groups of version 2 are made under the nearest group that hands down the controllers', async () => {
  using place = temporary();
  const mount = path.join(place.directory, 'cgroup');
  mkdirSync(path.join(mount, 'system.slice/worker.service'), { recursive: true });
  const files = { mounts: path.join(place.directory, 'mounts'), own: path.join(place.directory, 'own') };
  writeFileSync(files.mounts, `31 24 0:27 / ${mount} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n`);
  writeFileSync(files.own, '0::/system.slice/worker.service\n');
  assert.equal(await cgroupParents(files), null, 'plain directories have no controllers');
});

test('a container that has a part of the hierarchy alone is understood', async () => {
  using place = temporary();
  const files = { mounts: path.join(place.directory, 'mounts'), own: path.join(place.directory, 'own') };
  const points = ['memory', 'pids', 'freezer'].map((name) => path.join(place.directory, name));
  for (const point of points) mkdirSync(point);
  writeFileSync(
    files.mounts,
    points
      .map((point) => `31 24 0:27 /docker/abc ${point} rw - cgroup cgroup rw,${path.basename(point)}\n`)
      .join(''),
  );
  writeFileSync(files.own, '4:memory:/docker/abc\n3:pids:/docker/abc\n2:freezer:/docker/abc\n');
  assert.deepEqual(await cgroupParents(files), {
    version: 1,
    directories: { memory: points[0], pids: points[1], freezer: points[2] },
  });
});
