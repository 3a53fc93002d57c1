// Which isolations this machine can give a run, as the worker registers them. Used by the claimer.
import type { Isolation } from '../../protocol/project.ts';
import { confinedHost, type ConfinedHost } from './confined.ts';

export interface Offer {
  isolations: Isolation[];
  /** Why no sandbox of the usual kind, with what to do; null when there is one. */
  missing: string | null;
}

/** Finds out by making bare sandboxes. crun is for those who want it: that it is not there is nothing amiss. */
export async function offeredIsolations(searchPath: string): Promise<Offer> {
  const [missing, without] = await Promise.all([
    whyNot('bubblewrap', searchPath),
    whyNot('container', searchPath),
  ]);
  return {
    isolations: [
      ...(missing === null ? (['bubblewrap'] as const) : []),
      ...(without === null ? (['container'] as const) : []),
      'directory',
    ],
    missing,
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
