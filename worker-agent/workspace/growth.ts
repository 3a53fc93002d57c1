// What a run takes of the worker's disk, looked at again and again: one that outgrows its share ends before the disk is full for
// all. A watch and not a wall, since a file system of its own for each run would take memory or rights. Used by the runner.
import { setTimeout as delay } from 'node:timers/promises';
import { command } from './command.ts';
import type { GitContext } from './git.ts';

const LOOK_MS = 1_000;
/** Looking takes at most this share of the time. */
const SHARE = 0.05;

/** Looks until the signal aborts; `seen` is told each time, `exceeded` once, with the bytes. What is mounted below is not counted. */
export async function watchGrowth(
  context: GitContext,
  {
    directory,
    limitBytes,
    seen,
    exceeded,
  }: {
    directory: string;
    limitBytes: number;
    seen: (bytes: number) => void;
    exceeded: (bytes: number) => void;
  },
): Promise<void> {
  try {
    for (let pause = LOOK_MS; ;) {
      await delay(pause, undefined, { signal: context.signal, ref: false });
      const started = performance.now();
      const bytes = await bytesBelow(context, directory);
      seen(bytes);
      if (bytes > limitBytes) return exceeded(bytes);
      pause = Math.max(LOOK_MS, (performance.now() - started) / SHARE);
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
}

/** Bytes that a directory takes on its file system. Files that vanish meanwhile do not matter. */
export async function bytesBelow(context: GitContext, directory: string): Promise<number> {
  const script = 'du --summarize --one-file-system --block-size=1 -- "$1" 2>/dev/null || [ $? -eq 1 ]';
  return Number.parseInt(await command(context, ['sh', '-c', script, 'sh', directory]), 10) || 0;
}
