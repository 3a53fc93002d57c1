// What the sandboxes of a run use, in words: as of now while it is at work, in all when it has ended. Used by `run show` and
// `worker show`.
import type { Run } from '../../../protocol/run.ts';
import { bytes, duration } from '../format.ts';

type Used = Pick<Run, 'sandboxUsage' | 'leaseUntil'>;

const MIB = 1024 ** 2;
const mib = (count: number) => (count === 0 ? '0 MiB' : bytes(count * MIB));

/** All of it in one line; null where the worker does not tell. */
export function sandboxText({ sandboxUsage: used, leaseUntil }: Used): string | null {
  if (used === null) return null;
  const { memoryMib, peakMib, cores, cpuSeconds, processes, diskMib } = used;
  const files = diskMib === null ? '' : `, ${mib(diskMib)} of files`;
  const time = `${duration(cpuSeconds * 1000)} of processor time`;
  return leaseUntil === null
    ? `${mib(peakMib)} of memory at most, ${time}${files}`
    : `${mib(memoryMib)} of memory (${mib(peakMib)} at most), ${cores} cores (${time}), ${processes} processes${files}`;
}

/** The memory, of what is set aside where that is known. */
export function memoryText(
  { sandboxUsage: used, leaseUntil }: Used,
  setAsideMib: number | undefined,
): string {
  if (used === null) return leaseUntil === null ? '-' : 'not known';
  if (leaseUntil === null) return `${mib(used.peakMib)} at most`;
  return setAsideMib === undefined ? mib(used.memoryMib) : `${mib(used.memoryMib)} of ${mib(setAsideMib)}`;
}

/** The processors. */
export function processorText({ sandboxUsage: used, leaseUntil }: Used): string {
  if (used === null) return '-';
  return leaseUntil === null ? duration(used.cpuSeconds * 1000) : `${used.cores} cores`;
}
