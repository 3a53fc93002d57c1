// What vLLM tells of itself, read: its Prometheus text and the lines of its log about memory. Pure. Used by vllm.ts.
import type { EngineReading } from './managed.ts';

const MIB_PER_GIB = 1024;

/** The text of /metrics as a reading; undefined when it is not vLLM's. */
export function readMetrics(text: string, at: number): EngineReading | undefined {
  const sums = new Map<string, number>();
  for (const line of text.split('\n')) {
    // name{label="…",…} value
    const [, name, value] = /^(vllm:[\w:]+)(?:\{.*\})? ([^\s]+)/.exec(line) ?? [];
    if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + Number(value));
  }
  const running = sums.get('vllm:num_requests_running');
  if (running === undefined) return undefined;
  const sum = (name: string) => sums.get(`vllm:${name}`) ?? 0;
  return {
    at,
    running,
    waiting: sum('num_requests_waiting'),
    kvUsage: sums.get('vllm:kv_cache_usage_perc') ?? null,
    generatedTokens: sum('generation_tokens_total'),
    promptTokens: sum('prompt_tokens_total'),
    firstTokenSeconds: {
      sum: sum('time_to_first_token_seconds_sum'),
      count: sum('time_to_first_token_seconds_count'),
    },
    prefix: { looked: sum('prefix_cache_queries_total'), hit: sum('prefix_cache_hits_total') },
  };
}

/** Memory in MiB that an engine says it has taken on each GPU, from its log; undefined where it says nothing (on a processor). */
export function reportedMib(log: string): number | undefined {
  const largest = (pattern: RegExp) =>
    Math.max(
      0,
      ...[...log.matchAll(pattern)].map((match) =>
        match
          .slice(1)
          .map(Number)
          .reduce((a, b) => a + b),
      ),
    );
  const whole = largest(
    /Actual usage is ([\d.]+) GiB for consumed memory .*?, ([\d.]+) GiB for peak activation, and ([\d.]+) GiB for CUDAGraph memory.*Current kv cache memory in use is ([\d.]+) GiB/g,
  );
  const loaded = largest(/Model loading took ([\d.]+) GiB/g);
  const parts =
    loaded +
    largest(/Available KV cache memory: ([\d.]+) GiB/g) +
    largest(/Graph capturing finished in \d+ secs, took ([\d.]+) GiB/g);
  const gib = whole > 0 ? whole : loaded > 0 ? parts : 0;
  return gib > 0 ? Math.round(gib * MIB_PER_GIB) : undefined;
}
