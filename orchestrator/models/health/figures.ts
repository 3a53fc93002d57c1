// What an engine does now, from two readings of its counters. Used by the supervisor.
import type { EngineFigures } from '../../../protocol/local-model.ts';
import type { EngineReading } from '../engine/managed.ts';

/** Figures of the time between two readings; what needs both is null for the first one, and when the engine was started anew between them. */
export function figuresOf(before: EngineReading | undefined, now: EngineReading): EngineFigures {
  const { running, waiting, kvUsage, generatedTokens, promptTokens } = now;
  const totals = { running, waiting, kvUsage, generatedTokens, promptTokens };
  if (before === undefined || startedAnew(before, now))
    return { ...totals, tokensPerSecond: null, firstTokenMs: null, prefixHits: null };
  const seconds = (now.at - before.at) / 1000;
  return {
    ...totals,
    tokensPerSecond: share(generatedTokens - before.generatedTokens, seconds),
    firstTokenMs: share(
      (now.firstTokenSeconds.sum - before.firstTokenSeconds.sum) * 1000,
      now.firstTokenSeconds.count - before.firstTokenSeconds.count,
    ),
    prefixHits: share(now.prefix.hit - before.prefix.hit, now.prefix.looked - before.prefix.looked),
  };
}

function startedAnew(before: EngineReading, now: EngineReading): boolean {
  return (
    now.generatedTokens < before.generatedTokens ||
    now.promptTokens < before.promptTokens ||
    now.firstTokenSeconds.count < before.firstTokenSeconds.count ||
    now.prefix.looked < before.prefix.looked
  );
}

function share(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
