// Whether an engine that has requests brings anything: one that hangs still answers its health check. Used by the supervisor.
import type { EngineReading } from '../engine/managed.ts';

export interface ProgressWatch {
  /** Takes a reading; true when the engine has stood still for too long. */
  seen(reading: EngineReading): boolean;
}

/**
 * Watches one engine. Any movement counts: a long prompt brings no token for a while, but fills the KV cache and is counted when
 * it has been read. Requests that wait without one that runs are no sign of life either, but of a queue: they do not count.
 */
export function progressWatch(stuckMs: number): ProgressWatch {
  let last: EngineReading | undefined;
  let movedAt = 0;
  return {
    seen: (reading) => {
      if (last === undefined || reading.running === 0 || hasMoved(last, reading)) movedAt = reading.at;
      last = reading;
      return reading.at - movedAt >= stuckMs;
    },
  };
}

function hasMoved(before: EngineReading, now: EngineReading): boolean {
  return (
    before.running === 0 ||
    before.generatedTokens !== now.generatedTokens ||
    before.promptTokens !== now.promptTokens ||
    before.kvUsage !== now.kvUsage ||
    before.prefix.looked !== now.prefix.looked ||
    before.firstTokenSeconds.count !== now.firstTokenSeconds.count
  );
}
