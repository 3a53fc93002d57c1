// What this machine has for runs: memory, cores, free disk space. Used by find-abilities.ts.
import { statfs } from 'node:fs/promises';
import os from 'node:os';
import type { Resources } from '../protocol/placement.ts';

const MIB = 1024 * 1024;

/** Memory and cores as far as this process's control group allows them; disk space where `directory` lies. */
export async function machineResources(directory: string): Promise<Resources> {
  const { bavail, bsize } = await statfs(directory);
  return {
    memoryMib: Math.floor(Math.min(os.totalmem(), process.constrainedMemory() || Infinity) / MIB),
    cores: os.availableParallelism(),
    diskMib: rounded((bavail * bsize) / MIB),
  };
}

/** Rounded down in steps of a fifth or less: what changes little is no reason to register anew. */
export function rounded(mib: number): number {
  return mib < 1 ? 0 : Math.floor(2 ** (Math.floor(Math.log2(mib) * 4) / 4));
}
