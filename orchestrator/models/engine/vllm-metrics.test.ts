import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMetrics, reportedMib } from './vllm-metrics.ts';

const METRICS = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="coder"} 2.0
vllm:num_requests_waiting{engine="0",model_name="coder"} 3.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="coder",reason="capacity"} 3.0
vllm:engine_sleep_state{engine="0",model_name="coder",sleep_state="awake"} 1.0
vllm:kv_cache_usage_perc{engine="0",model_name="coder"} 0.25
vllm:prefix_cache_queries_total{engine="0",model_name="coder"} 1000.0
vllm:prefix_cache_queries_created{engine="0",model_name="coder"} 1.7e+09
vllm:prefix_cache_hits_total{engine="0",model_name="coder"} 640.0
vllm:prompt_tokens_total{engine="0",model_name="coder"} 1.2e+06
vllm:generation_tokens_total{engine="0",model_name="coder"} 4500.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.1",model_name="coder"} 7.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="coder"} 9.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="coder"} 1.5
python_info{version="3.12"} 1.0
`;

test('the text of /metrics is a reading', () => {
  assert.deepEqual(readMetrics(METRICS, 5), {
    at: 5,
    running: 2,
    waiting: 3,
    kvUsage: 0.25,
    generatedTokens: 4500,
    promptTokens: 1_200_000,
    firstTokenSeconds: { sum: 1.5, count: 9 },
    prefix: { looked: 1000, hit: 640 },
  });
  assert.equal(readMetrics('python_info 1.0\n', 5), undefined);
});

test('the memory that an engine has taken is read from its log: all parts of the fullest GPU', () => {
  const parts = `(Worker_TP0 pid=1) INFO 11-21 [gpu_model_runner.py:5150] Model loading took 9.2 GiB memory and 12.3 seconds
(Worker_TP1 pid=2) INFO 11-21 [gpu_model_runner.py:5150] Model loading took 9.3 GiB memory and 12.3 seconds
(Worker_TP0 pid=1) INFO 11-21 [gpu_worker.py:760] Available KV cache memory: 8.5 GiB
(Worker_TP0 pid=1) INFO 11-21 [gpu_model_runner.py:6582] Graph capturing finished in 20 secs, took 0.7 GiB
`;
  assert.equal(reportedMib(parts), Math.round(18.5 * 1024));
  const whole = `${parts}(Worker_TP0 pid=1) INFO 11-21 [gpu_worker.py:1043] Free memory on device (23.2/23.57 GiB) on startup. Desired GPU memory utilization is (0.85, 20.03 GiB). Actual usage is 10.0 GiB for consumed memory (weights + non-torch), 1.25 GiB for peak activation, and 0.75 GiB for CUDAGraph memory. Replace gpu_memory_utilization config with \`--kv-cache-memory=1\` (1.0 GiB) to fit into requested memory. Current kv cache memory in use is 8.0 GiB.
`;
  assert.equal(reportedMib(whole), 20 * 1024);
  assert.equal(reportedMib('Application startup complete.'), undefined);
});
