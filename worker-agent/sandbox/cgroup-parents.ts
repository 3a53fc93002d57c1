// Where this process may make control groups: below its own, or, in version 2, below the nearest group above it that hands
// the controllers down. Used by cgroup.ts.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface CgroupParents {
  version: 1 | 2;
  /** For each controller the directory in which groups are made; in version 2 all the same. */
  directories: { memory: string; pids: string; freezer?: string; cpu?: string; cpuacct?: string };
}

/** The kernel's own account of groups and mounts; tests give others. */
export interface CgroupFiles {
  mounts: string;
  own: string;
}

const KERNEL: CgroupFiles = { mounts: '/proc/self/mountinfo', own: '/proc/self/cgroup' };

/** Null where this user may make no group with limits for memory and processes. */
export async function cgroupParents(files: CgroupFiles = KERNEL): Promise<CgroupParents | null> {
  const mounts = (await readFile(files.mounts, 'utf8')).split('\n').flatMap(mountOf);
  const own = (await readFile(files.own, 'utf8')).split('\n').flatMap(membershipOf);
  return (await version2(mounts, own)) ?? (await version1(mounts, own));
}

interface Mount {
  root: string;
  point: string;
  type: 'cgroup' | 'cgroup2';
  options: string[];
}

interface Membership {
  controllers: string[];
  group: string;
}

async function version2(mounts: Mount[], own: Membership[]): Promise<CgroupParents | null> {
  const mount = mounts.find(({ type }) => type === 'cgroup2');
  const membership = own.find(({ controllers }) => controllers.length === 0);
  if (mount === undefined || membership === undefined) return null;
  for (let directory = directoryOf(mount, membership); ; directory = path.dirname(directory)) {
    const controllers = await controllersBelow(directory);
    if (controllers.includes('memory') && controllers.includes('pids')) {
      return {
        version: 2,
        directories: {
          memory: directory,
          pids: directory,
          ...(controllers.includes('cpu') ? { cpu: directory } : {}),
        },
      };
    }
    if (directory === mount.point || !directory.startsWith(mount.point)) return null;
  }
}

/** The controllers that a group made there would have. A group that holds processes itself cannot hand any down. */
async function controllersBelow(directory: string): Promise<string[]> {
  const trial = path.join(directory, `autocode-trial-${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(trial);
  } catch {
    return [];
  }
  try {
    const read = async () =>
      (await readFile(path.join(trial, 'cgroup.controllers'), 'utf8').catch(() => '')).trim().split(' ');
    for (const controller of ['memory', 'pids', 'cpu']) {
      if (!(await read()).includes(controller)) {
        await writeFile(path.join(directory, 'cgroup.subtree_control'), `+${controller}`).catch(() => {});
      }
    }
    return await read();
  } finally {
    await rmdir(trial);
  }
}

async function version1(mounts: Mount[], own: Membership[]): Promise<CgroupParents | null> {
  const find = async (controller: string): Promise<string | undefined> => {
    const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller));
    const membership = own.find(({ controllers }) => controllers.includes(controller));
    if (mount === undefined || membership === undefined) return undefined;
    const directory = directoryOf(mount, membership);
    return (await mayMakeGroups(directory)) ? directory : undefined;
  };
  const controllers = ['memory', 'pids', 'freezer', 'cpu', 'cpuacct'];
  const [memory, pids, freezer, cpu, cpuacct] = await Promise.all(controllers.map(find));
  if (memory === undefined || pids === undefined || freezer === undefined) return null;
  const wanted = { ...(cpu === undefined ? {} : { cpu }), ...(cpuacct === undefined ? {} : { cpuacct }) };
  return { version: 1, directories: { memory, pids, freezer, ...wanted } };
}

async function mayMakeGroups(directory: string): Promise<boolean> {
  const trial = path.join(directory, `autocode-trial-${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(trial);
    await rmdir(trial);
    return true;
  } catch {
    return false;
  }
}

// A container may have mounted a part of the hierarchy only, and may see the names of the whole.
function directoryOf(mount: Mount, { group }: Membership): string {
  const below = path.posix.relative(mount.root, group);
  return below.startsWith('..') ? mount.point : path.join(mount.point, below);
}

// 36 35 98:0 /root /point options optional… - type source superoptions
function mountOf(line: string): Mount[] {
  const [before = '', after = ''] = line.split(' - ');
  const [type, , options = ''] = after.split(' ');
  if (type !== 'cgroup' && type !== 'cgroup2') return [];
  const fields = before.split(' ');
  return [{ root: fields[3] ?? '/', point: fields[4] ?? '', type, options: options.split(',') }];
}

// 4:memory:/group, or 0::/group in version 2
function membershipOf(line: string): Membership[] {
  const [, controllers, ...group] = line.split(':');
  if (controllers === undefined) return [];
  return [{ controllers: controllers.split(',').filter(Boolean), group: group.join(':') }];
}
