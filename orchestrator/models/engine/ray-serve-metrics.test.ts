import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rayReading } from './ray-serve-metrics.ts';

const line = (name: string, replica: string, value: number, model = 'coder') =>
  `ray_vllm_${name}{Component="core_worker",ReplicaId="${replica}",model_name="${model}",engine="0"} ${value}`;

test('figures are of all replicas of the model together, and of no other model', () => {
  const text = [
    '# TYPE ray_vllm_num_requests_running gauge',
    line('num_requests_running', 'a', 2),
    line('num_requests_running', 'b', 1),
    line('num_requests_running', 'c', 7, 'coder-2'),
    line('num_requests_waiting', 'a', 4),
    line('kv_cache_usage_perc', 'a', 0.25),
    line('kv_cache_usage_perc', 'b', 0.5),
    line('generation_tokens_total', 'a', 100),
    line('generation_tokens_total', 'b', 11),
    line('prompt_tokens', 'a', 900),
    line('time_to_first_token_seconds_sum', 'a', 1.5),
    line('time_to_first_token_seconds_count', 'a', 3),
    line('prefix_cache_queries_total', 'a', 50),
    line('prefix_cache_hits_total', 'a', 20),
    'ray_serve_num_http_requests_total{application="autocode-coder"} 12',
  ].join('\n');
  assert.deepEqual(rayReading(text, 'coder', 5), {
    at: 5,
    running: 3,
    waiting: 4,
    kvUsage: 0.5,
    generatedTokens: 111,
    promptTokens: 900,
    firstTokenSeconds: { sum: 1.5, count: 3 },
    prefix: { looked: 50, hit: 20 },
  });
});

test('nothing is told of a model that the nodes do not know yet', () => {
  assert.equal(rayReading(line('num_requests_running', 'a', 1, 'other'), 'coder', 5), undefined);
});
