import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rayReading } from './ray-serve-metrics.ts';

const coder = { application: 'autocode-coder', served: 'coder' };
const vllm = (name: string, replica: string, value: number, model = 'coder') =>
  `ray_vllm_${name}{Component="core_worker",ReplicaId="${replica}",model_name="${model}",engine="0"} ${value}`;
const serve = (name: string, deployment: string, value: number, application = 'autocode-coder') =>
  `ray_serve_${name}{application="${application}",deployment="${deployment}",handle="${value}"} ${value}`;

test('figures are of all replicas of the model together, and of no other model', () => {
  const text = [
    '# TYPE ray_vllm_generation_tokens_total counter',
    serve('num_ongoing_requests_at_replicas', 'OpenAiIngress', 3),
    serve('num_ongoing_requests_at_replicas', 'LLMServer:coder', 2),
    serve('num_ongoing_requests_at_replicas', 'LLMServer:coder', 1),
    serve('num_ongoing_requests_at_replicas', 'Model', 9, 'autocode-coder-2'),
    serve('deployment_queued_queries', 'LLMServer:coder', 4),
    vllm('num_requests_waiting', 'a', 1),
    vllm('num_requests_running', 'c', 7, 'coder-2'),
    vllm('kv_cache_usage_perc', 'a', 0.25),
    vllm('kv_cache_usage_perc', 'b', 0.5),
    vllm('generation_tokens_total', 'a', 100),
    vllm('generation_tokens_total', 'b', 11),
    vllm('prompt_tokens_total', 'a', 900),
    vllm('time_to_first_token_seconds_sum', 'a', 1.5),
    vllm('time_to_first_token_seconds_count', 'a', 3),
    vllm('time_to_first_token_seconds_bucket', 'a', 3),
    vllm('prefix_cache_queries_total', 'a', 50),
    vllm('prefix_cache_hits_total', 'a', 20),
  ].join('\n');
  assert.deepEqual(rayReading(text, coder, 5), {
    at: 5,
    running: 3,
    waiting: 5,
    kvUsage: 0.5,
    generatedTokens: 111,
    promptTokens: 900,
    firstTokenSeconds: { sum: 1.5, count: 3 },
    prefix: { looked: 50, hit: 20 },
  });
});

test('nothing is told of a model that the nodes do not know yet', () => {
  assert.equal(rayReading(vllm('generation_tokens_total', 'a', 1, 'other'), coder, 5), undefined);
});
