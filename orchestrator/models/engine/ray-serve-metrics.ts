// Figures of an application as Ray's nodes tell them, of all replicas together. Used by ray-serve.ts.
import type { EngineReading } from './managed.ts';

// vLLM's own names with underscores. Requests are Serve's figures: vLLM's are told only while it works on some.
const SERIES = /^ray_(vllm|serve)_(\w+?)(?:_total)?\{([^}]*)\} (\S+)/gm;

/** What the nodes' metrics say of a model; undefined while they do not know it. */
export function rayReading(
  text: string,
  { application, served }: { application: string; served: string },
  at: number,
): EngineReading | undefined {
  const sums = new Map<string, number>();
  const add = (name: string, value: number) => sums.set(name, (sums.get(name) ?? 0) + value);
  // A request goes through each deployment of its application, and is one all the same.
  const running = new Map<string, number>();
  const queued = new Map<string, number>();
  let fullest: number | null = null;
  for (const [, part, name, labels, value] of text.matchAll(SERIES)) {
    if (part === 'vllm' && labels!.includes(`model_name="${served}"`)) {
      add(name!, Number(value));
      if (name === 'kv_cache_usage_perc') fullest = Math.max(fullest ?? 0, Number(value));
    } else if (part === 'serve' && labels!.includes(`application="${application}"`)) {
      const deployment = /deployment="([^"]*)"/.exec(labels!)?.[1] ?? '';
      const counts = { num_ongoing_requests_at_replicas: running, deployment_queued_queries: queued }[name!];
      counts?.set(deployment, (counts.get(deployment) ?? 0) + Number(value));
    }
  }
  if (running.size === 0 && sums.size === 0) return undefined;
  const sum = (name: string) => sums.get(name) ?? 0;
  return {
    at,
    running: Math.max(0, ...running.values()),
    waiting: Math.max(0, ...queued.values()) + sum('num_requests_waiting'),
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
