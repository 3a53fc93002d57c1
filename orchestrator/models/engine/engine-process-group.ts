// A control group for the processes of one engine, where the kernel lets this user make one: what leaves the session or loses
// its environment is still found by it. Version 2 of the kernel's interface, or one hierarchy of version 1. Used by engine-process.ts.
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const PREFIX = 'autocode-engine-';
const POLL_MS = 10;
const GIVE_UP_MS = 2_000;

/** Puts a process into the group of its launch; does nothing where none can be made. Groups that nothing is in any more go. */
export function joinGroup(launch: string, pid: number): void {
  const directory = groupDirectory(launch);
  if (directory === undefined) return;
  try {
    removeEmpty(path.dirname(directory));
    mkdirSync(directory);
    writeFileSync(path.join(directory, 'cgroup.procs'), String(pid));
  } catch {
    // This user may make none.
  }
}

// Those of engines that ended while no daemon looked; the kernel refuses for one with a process.
function removeEmpty(parent: string): void {
  for (const name of readdirSync(parent).filter((each) => each.startsWith(PREFIX))) {
    try {
      rmdirSync(path.join(parent, name));
    } catch {
      // In use.
    }
  }
}

/** The launch whose group a process is in. */
export function groupOf(pid: number): string | undefined {
  try {
    const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
    return new RegExp(`/${PREFIX}([0-9a-f-]+)$`, 'm').exec(groups)?.[1];
  } catch {
    return undefined;
  }
}

/** Removes the group of a launch whose processes have ended. */
export async function removeGroup(launch: string): Promise<void> {
  const directory = groupDirectory(launch);
  const giveUp = performance.now() + GIVE_UP_MS;
  while (directory !== undefined) {
    try {
      return rmdirSync(directory);
    } catch (error) {
      // Busy: the last process is on its way out. Else it was never made, or by a daemon in another group: an empty one costs nothing.
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || performance.now() > giveUp) return;
      await delay(POLL_MS);
    }
  }
}

function groupDirectory(launch: string): string | undefined {
  const parent = ownGroup();
  return parent === undefined ? undefined : path.join(parent, `${PREFIX}${launch}`);
}

// 36 35 98:0 /root /point options optional… - type source superoptions; 0::/group or, in version 1, 4:pids:/group
function ownGroup(): string | undefined {
  const mounts = read('/proc/self/mountinfo').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '/', point = ''] = before.split(' ');
    const [type = '', , options = ''] = after.split(' ');
    return [{ root, point, type, options: options.split(',') }];
  });
  const two = mounts.find(({ type }) => type === 'cgroup2');
  const one = mounts.find(({ type, options }) => type === 'cgroup' && options.includes('pids'));
  const own = read('/proc/self/cgroup').map((line) => line.split(':'));
  for (const [mount, controllers] of [
    [one, 'pids'],
    [two, ''],
  ] as const) {
    const group = own
      .find(([, names]) => names?.split(',').includes(controllers))
      ?.slice(2)
      .join(':');
    if (mount === undefined || group === undefined) continue;
    // A container may have mounted a part of the hierarchy only, and may see the names of the whole.
    const below = path.posix.relative(mount.root, group);
    return below.startsWith('..') ? mount.point : path.join(mount.point, below);
  }
  return undefined;
}

function read(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}
