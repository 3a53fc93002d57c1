// Which isolations this machine can give a run, as the worker registers them. Used by the claimer.
import type { Isolation } from '../../protocol/project.ts';
import { bubblewrapHost } from './bubblewrap-host.ts';

export interface Offer {
  isolations: Isolation[];
  /** Why not all, with what to do; null when all. */
  missing: string | null;
}

/** Finds out by making a bare sandbox. */
export async function offeredIsolations(searchPath: string): Promise<Offer> {
  try {
    await bubblewrapHost(searchPath);
    return { isolations: ['bubblewrap', 'directory'], missing: null };
  } catch (error) {
    const { message, remedy } = error as Error & { remedy?: string };
    return { isolations: ['directory'], missing: [message, remedy].filter(Boolean).join(' ') };
  }
}
