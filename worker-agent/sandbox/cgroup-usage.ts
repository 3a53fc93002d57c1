// What the processes of a control group use, as the kernel counts it. Used by cgroup.ts.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { usedBy, type Used } from '../run-processes.ts';
import type { CgroupParents } from './cgroup-parents.ts';

/** What of the memory the kernel gives up before it ends a process: it says little of what programs need. */
const GIVEN_UP = {
  1: ['total_inactive_file', 'total_active_file'],
  2: ['inactive_file', 'active_file', 'slab_reclaimable'],
} as const;

/** What the group of that name uses; `members` answers its processes. Fails when the group is gone. */
export async function usedByGroup(
  { version, directories }: CgroupParents,
  name: string,
  members: () => Promise<number[]>,
): Promise<Used> {
  const read = async (parent: string, file: string) =>
    (await readFile(path.join(parent, name, file), 'utf8')).trim();
  const { memory, pids, cpuacct } = directories;
  const [taken, memoryStat, processes] = await Promise.all([
    read(memory, version === 1 ? 'memory.usage_in_bytes' : 'memory.current'),
    read(memory, 'memory.stat'),
    read(pids, 'pids.current'),
  ]);
  const figures = figuresOf(memoryStat);
  const givenUp = GIVEN_UP[version].reduce((sum, key) => sum + (figures.get(key) ?? 0), 0);
  return {
    memoryBytes: Math.max(0, Number(taken) - givenUp),
    cpuSeconds: await cpuSeconds(),
    processes: Number(processes),
  };

  async function cpuSeconds(): Promise<number> {
    if (version === 2) return figuresOf(await read(memory, 'cpu.stat')).get('usage_usec')! / 1e6;
    if (cpuacct === undefined) return usedBy(await members()).cpuSeconds;
    return Number(await read(cpuacct, 'cpuacct.usage')) / 1e9;
  }
}

// Lines of a name and a number.
function figuresOf(text: string): Map<string, number> {
  return new Map(
    text.split('\n').map((line) => {
      const [name = '', value] = line.split(' ');
      return [name, Number(value)];
    }),
  );
}
