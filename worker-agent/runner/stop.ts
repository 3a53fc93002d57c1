// Why a run stops before its work is done, and the one signal that tells all its parts.
// Used by everything in the runner that waits.

/** cancelled: asked for. out-of-time: its deadline. stale: no longer ours. self-stop: too long without the orchestrator.
 * terminated: this process was told to end. disk-full: the log cannot be kept. too-big: it takes more of the disk than it may. */
export type StopReason =
  | 'cancelled'
  | 'out-of-time'
  | 'stale'
  | 'self-stop'
  | 'terminated'
  | 'disk-full'
  | 'too-big';

/** The reason with which the signal aborts, so that whatever awaited throws it. */
export class Stopped extends Error {
  readonly why: StopReason;

  constructor(why: StopReason, message: string) {
    super(message);
    this.why = why;
  }
}

export interface Stopper {
  /** Aborts with the first reason: the work ends. */
  signal: AbortSignal;
  /** Aborts when there is nobody left to report to either: log and report stay on this disk. */
  cutOff: AbortSignal;
  stop(why: StopReason, message: string): void;
}

const CUT_OFF: readonly StopReason[] = ['stale', 'self-stop', 'terminated'];

/** One for each run. */
export function stopper(): Stopper {
  const work = new AbortController();
  const link = new AbortController();
  return {
    signal: work.signal,
    cutOff: link.signal,
    stop(why, message) {
      const reason = new Stopped(why, message);
      work.abort(reason);
      if (CUT_OFF.includes(why)) link.abort(reason);
    },
  };
}

/** The reason behind an error or an aborted signal, if it is one. */
export function stopReason(error: unknown): Stopped | null {
  if (error instanceof Stopped) return error;
  return error instanceof Error && error.cause instanceof Stopped ? error.cause : null;
}
