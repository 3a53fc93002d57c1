// What runs have said they use of the cache, and how that is named which is on its way out. Used by prune.ts and dependencies.ts.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { usedBy } from './cached-checkout.ts';

/** How entries begin that are out of sight and about to be removed. */
export const REMOVED = '.removed-';

/** The entries that the runs of a state directory use. */
export async function usedByRuns(stateDir: string): Promise<Set<string>> {
  const runs = await readdir(path.join(stateDir, 'runs')).catch(() => []);
  const used = runs.map(async (run) => await usedBy(path.join(stateDir, 'runs', run)));
  return new Set((await Promise.all(used)).flat());
}
