// Figures of vLLM's engines as Ray's nodes tell them, of all replicas together. Used by ray-serve.ts.
import type { EngineReading } from './managed.ts';

// Ray writes vLLM's own names with underscores, and counts are told with or without `_total` by its version.
const SERIES = /^ray_vllm_(\w+?)(?:_total)?\{([^}]*)\} (\S+)/gm;

/** What the nodes' metrics say of a model; undefined when they do not know it yet. */
export function rayReading(text: string, served: string, at: number): EngineReading | undefined {
  const sums = new Map<string, number>();
  let fullest: number | null = null;
  for (const [, name, labels, value] of text.matchAll(SERIES)) {
    if (!labels!.includes(`model_name="${served}"`)) continue;
    sums.set(name!, (sums.get(name!) ?? 0) + Number(value));
    if (name === 'kv_cache_usage_perc') fullest = Math.max(fullest ?? 0, Number(value));
  }
  const running = sums.get('num_requests_running');
  if (running === undefined) return undefined;
  const sum = (name: string) => sums.get(name) ?? 0;
  return {
    at,
    running,
    waiting: sum('num_requests_waiting'),
    kvUsage: fullest,
    generatedTokens: sum('generation_tokens'),
    promptTokens: sum('prompt_tokens'),
    firstTokenSeconds: {
      sum: sum('time_to_first_token_seconds_sum'),
      count: sum('time_to_first_token_seconds_count'),
    },
    prefix: { looked: sum('prefix_cache_queries'), hit: sum('prefix_cache_hits') },
  };
}
