// How a program in a sandbox ended, from the exit code of what confines it. Used by bubblewrap-process.ts and oci-process.ts.
import type { Exit } from './sandbox.ts';

// Both tell a death by a signal as a shell does: 128 and the signal's number.
const DEATHS: Record<number, NodeJS.Signals> = {
  134: 'SIGABRT',
  135: 'SIGBUS',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  143: 'SIGTERM',
};

/** Its exit code, or the signal that it died by. */
export function exitOf(code: number | null, signal: NodeJS.Signals | null): Exit {
  const death = DEATHS[code ?? 0];
  return death === undefined ? { code, signal } : { code: null, signal: death };
}
