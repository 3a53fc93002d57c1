// A control group for the processes of one sandbox: limits for all of them together, and the one way to end them all at once.
// Version 2 of the kernel's interface and version 1 (a directory in each of several hierarchies). Used by bubblewrap.ts and,
// for what a dead runner left, by lost-run.ts.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { send, type Used } from '../run-processes.ts';
import { cgroupParents, type CgroupParents } from './cgroup-parents.ts';
import { usedByGroup } from './cgroup-usage.ts';

export interface Limits {
  /** Memory of all processes together, their files in /tmp and /dev/shm counted in. */
  memoryMb: number;
  /** Processes and threads at a time. */
  pids: number;
  /** Processors' worth of time; 0: all there are. */
  cpus: number;
}

export interface Cgroup {
  /** A process joins by writing 0 to each of these. */
  joinFiles: string[];
  /** What its processes use; fails once it is removed. */
  used(): Promise<Used>;
  /** Ends all processes in it; resolves when none is left. */
  kill(): Promise<void>;
  /** Ends all and removes it. */
  remove(): Promise<void>;
}

const POLL_MS = 5;
const GIVE_UP_MS = 10_000;
const PERIOD_MICROSECONDS = 100_000;
const MEGABYTE = 1024 * 1024;

/** Record of a group, in the run's directory: its directories. Whoever comes after a crash removes them. */
const Record = z.array(z.string().startsWith('/'));
const RECORD_SUFFIX = '.cgroup.json';

/** The name of a sandbox's group, unique on this machine. */
export function groupName(runDirectory: string, sandbox: string): string {
  return `autocode-${createHash('sha256').update(runDirectory).digest('hex').slice(0, 16)}-${sandbox}`;
}

/** Makes a group with limits, recorded in the run's directory first. Null where this user may make none. */
export async function openCgroup(options: {
  name: string;
  limits: Limits;
  runDirectory: string;
  parents?: CgroupParents | null;
}): Promise<Cgroup | null> {
  const { name, limits, runDirectory, parents = await cgroupParents() } = options;
  if (parents === null) return null;
  const directories = [...new Set(Object.values(parents.directories))].map((parent) =>
    path.join(parent, name),
  );
  const record = path.join(runDirectory, `${name}${RECORD_SUFFIX}`);
  await writeFile(record, JSON.stringify(directories));
  for (const directory of directories) await mkdir(directory, { recursive: true });
  for (const [file, value] of settings(parents, name, limits)) await writeFile(file, value);
  return {
    joinFiles: directories.map((directory) => path.join(directory, 'cgroup.procs')),
    used: async () => await usedByGroup(parents, name, async () => await members(directories)),
    kill: async () => await kill(directories),
    async remove() {
      await remove(directories);
      await rm(record, { force: true });
    },
  };
}

/** Ends and removes the groups that a run's directory has records of. */
export async function removeCgroupsOf(runDirectory: string): Promise<void> {
  const names = await readdir(runDirectory).catch(() => []);
  for (const name of names.filter((each) => each.endsWith(RECORD_SUFFIX))) {
    const file = path.join(runDirectory, name);
    const record = Record.safeParse(await readJson(file));
    if (record.success) await remove(record.data);
    await rm(file, { force: true });
  }
}

/** The processes in the groups that a run's directory has records of. */
export async function processesInGroupsOf(runDirectory: string): Promise<number[]> {
  const names = await readdir(runDirectory);
  const records = names.filter((each) => each.endsWith(RECORD_SUFFIX));
  const read = records.map(async (name) =>
    members(Record.parse(await readJson(path.join(runDirectory, name)))),
  );
  return (await Promise.all(read)).flat();
}

function settings(
  { version, directories }: CgroupParents,
  name: string,
  { memoryMb, pids, cpus }: Limits,
): [string, string][] {
  const file = (controller: keyof CgroupParents['directories'], setting: string, value: number | string) => {
    const parent = directories[controller];
    return parent === undefined
      ? []
      : [[path.join(parent, name, setting), String(value)] as [string, string]];
  };
  const memory = memoryMb * MEGABYTE;
  const quota = cpus > 0 ? Math.round(cpus * PERIOD_MICROSECONDS) : null;
  if (version === 1) {
    return [
      ...file('memory', 'memory.limit_in_bytes', memory),
      ...file('pids', 'pids.max', pids),
      ...(quota === null
        ? []
        : [
            ...file('cpu', 'cpu.cfs_period_us', PERIOD_MICROSECONDS),
            ...file('cpu', 'cpu.cfs_quota_us', quota),
          ]),
    ];
  }
  return [
    ...file('memory', 'memory.max', memory),
    ...file('memory', 'memory.swap.max', 0),
    ...file('pids', 'pids.max', pids),
    ...(quota === null ? [] : file('cpu', 'cpu.max', `${quota} ${PERIOD_MICROSECONDS}`)),
  ];
}

/** Ends the processes of all the directories, repeatedly: one that was being made when the others died is met the next time. */
async function kill(directories: string[]): Promise<void> {
  const giveUp = performance.now() + GIVE_UP_MS;
  const freezers = directories.map((directory) => path.join(directory, 'freezer.state'));
  for (let left = await members(directories); left.length > 0; left = await members(directories)) {
    if (performance.now() > giveUp) {
      throw new AutocodeError('ERR_INTERNAL', `Processes of a sandbox cannot be ended: ${left.join(', ')}.`, {
        remedy: 'See what they wait for (`ps`), as a disk that does not answer.',
      });
    }
    const atOnce = await Promise.all(
      directories.map(async (directory) => await write(path.join(directory, 'cgroup.kill'), '1')),
    );
    if (!atOnce.includes(true)) {
      // Frozen processes make no new ones; SIGKILL takes effect when they are thawed.
      for (const file of freezers) await write(file, 'FROZEN');
      for (const pid of await members(directories)) send(pid, 'SIGKILL');
      for (const file of freezers) await write(file, 'THAWED');
    }
    await delay(POLL_MS);
  }
}

async function remove(directories: string[]): Promise<void> {
  await kill(directories);
  const giveUp = performance.now() + GIVE_UP_MS;
  for (const directory of directories) {
    for (;;) {
      try {
        await rmdir(directory);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EBUSY' && performance.now() < giveUp) {
          await delay(POLL_MS);
          continue; // the last process is still on its way out
        }
        if (code !== 'ENOENT') throw error;
      }
      break;
    }
  }
}

async function members(directories: string[]): Promise<number[]> {
  const lists = await Promise.all(
    directories.map(
      async (directory) => await readFile(path.join(directory, 'cgroup.procs'), 'utf8').catch(() => ''),
    ),
  );
  const pids = lists.flatMap((list) => list.split('\n').filter(Boolean).map(Number));
  return [...new Set(pids)];
}

/** True when the kernel has such a file and took the value. */
async function write(file: string, value: string): Promise<boolean> {
  try {
    await writeFile(file, value, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return null;
  }
}
