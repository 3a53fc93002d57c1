// How often something is asked for anew while it goes on to change: soon at first, then less and less often, as many pages may look on.
// Used by caches.ts and by the board.
const LONGEST_PAUSE_MS = 4000;
/** What is asked for again within this time, or within the last pause, has gone on to change. */
const RIGHT_AFTER_MS = 1000;

/** Work that is done some time after it was asked for, however often that was meanwhile. */
export interface Paced {
  soon(): void;
  now(): void;
  stop(): void;
}

/** Does the work `shortestMs` after it was asked for; each time that it was asked for right after the last, twice as long. It says whether there is more. */
export function paced(work: () => Promise<boolean>, shortestMs: number): Paced {
  let pause = shortestMs;
  let last = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = () => {
    if (timer !== undefined) return;
    const goesOn = performance.now() - last < Math.max(pause, RIGHT_AFTER_MS);
    pause = goesOn ? Math.min(pause * 2, LONGEST_PAUSE_MS) : shortestMs;
    timer = setTimeout(() => void run(), pause);
  };
  const run = async () => {
    timer = undefined;
    const more = await work();
    last = performance.now();
    if (more) soon();
  };
  const stop = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    soon,
    now() {
      stop();
      void run();
    },
    stop,
  };
}
