// Which isolations this machine can give a run, as the worker registers them. Used by the claimer.
import type { Isolation } from '../../protocol/project.ts';
import { CONFINED, confinedHost, type ConfinedHost } from './confined.ts';

export interface Offer {
  isolations: Isolation[];
  /** Why no sandbox of the usual kind, with what to do; null when there is one. */
  missing: string | null;
}

/** Finds out by making bare sandboxes. OCI runtimes are for those who want them: that there is none is nothing amiss. */
export async function offeredIsolations(searchPath: string): Promise<Offer> {
  const reasons = await Promise.all(CONFINED.map(async (kind) => await whyNot(kind, searchPath)));
  return {
    isolations: [...CONFINED.filter((_, index) => reasons[index] === null), 'directory'],
    missing: reasons[0] ?? null,
  };
}

async function whyNot(kind: ConfinedHost['kind'], searchPath: string): Promise<string | null> {
  try {
    await confinedHost(kind, searchPath);
    return null;
  } catch (error) {
    const { message, remedy } = error as Error & { remedy?: string };
    return [message, remedy].filter(Boolean).join(' ');
  }
}
