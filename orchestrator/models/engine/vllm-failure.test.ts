import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf, lastLine } from './vllm-failure.ts';

// What is printed, what is told, what the remedy names, and whether memory was short. Lines of vLLM 0.32 on a processor are
// as it printed them; those that need a GPU are as its source, PyTorch and the driver have them.
const endings: [string, string, RegExp, RegExp, boolean?][] = [
  [
    'a GPU that holds something else',
    '(EngineCore pid=7) ValueError: Free memory on device cuda:0 (3.1/23.57 GiB) on startup is less than desired GPU memory utilization (0.85, 20.03 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.\n(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above.',
    /^Less memory is free on a GPU than the model was to take \(3\.1\/23\.57 GiB free\)\.$/,
    /model gpus/,
    true,
  ],
  [
    'a machine without a GPU that has less memory',
    'ValueError: Available memory on node 0 (21.82/23.54 GiB) on startup is less than desired CPU memory utilization (0.98, 23.07 GiB).',
    /^Less memory is free than the model was to take \(21\.82\/23\.54 GiB free\)\.$/,
    /gpuMemoryUtilization/,
    true,
  ],
  [
    'no memory while it loads',
    'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 270.00 MiB. GPU 0 has a total capacity of 23.57 GiB of which 100.00 MiB is free.',
    /ran out of memory/,
    /model plan/,
    true,
  ],
  [
    'a context that the rest of the memory does not hold',
    "ValueError: To serve at least one request with the models's max seq len (131072), (8.00 GiB KV cache is needed, which is larger than the available KV cache memory (2.4 GiB).",
    /too little memory for the context/,
    /less context/,
  ],
  [
    'nothing left for a context',
    'ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`.',
    /too little memory for the context/,
    /gpuMemoryUtilization/,
  ],
  [
    'truncated weights',
    'safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata, file not fully covered',
    /truncated or damaged/,
    /model verify/,
  ],
  [
    'missing weights',
    'RuntimeError: Cannot find any model weights with `/weights/coder`',
    /Files of its weights are missing/,
    /model verify/,
  ],
  [
    'an architecture of tomorrow',
    "  Value error, Model architectures ['Qwen9ForCausalLM'] are not supported for now. Supported architectures: dict_keys([])",
    /architecture of the model: Qwen9ForCausalLM/,
    /Upgrade vLLM/,
  ],
  [
    'a model type of tomorrow',
    'ValueError: The checkpoint you are trying to load has model type `qwen9` but Transformers does not recognize this architecture.',
    /architecture of the model: qwen9/,
    /Upgrade vLLM/,
  ],
  [
    'a driver that was upgraded under way',
    'RuntimeError: Failed to initialize NVML: Driver/library version mismatch',
    /driver does not fit: Driver\/library version mismatch/,
    /[Rr]eboot/,
  ],
  [
    'a driver that is too old',
    'RuntimeError: The NVIDIA driver on your system is too old (found version 12020).',
    /driver does not fit: NVIDIA driver on your system is too old/,
    /upgraded/,
  ],
  ['no GPU', 'RuntimeError: No CUDA GPUs are available', /finds no GPU/, /nvidia-smi/],
  [
    'a GPU that is gone',
    'RuntimeError: CUDA error: GPU is lost\nRuntimeError: Engine core initialization failed.',
    /fallen off the bus/,
    /Xid 79/,
  ],
  [
    'a GPU with bad memory',
    'CUDA error: uncorrectable ECC error encountered',
    /has an error: uncorrectable ECC error encountered/,
    /ECC/,
  ],
  ['a port that was taken', 'OSError: [Errno 98] Address already in use', /port was taken/, /another port/],
  [
    'an argument that it does not know',
    'usage: vllm serve [model_tag] [options]\nvllm: error: unrecognized arguments: --swap-space 4',
    /does not take its arguments: unrecognized arguments: --swap-space 4/,
    /flags/,
  ],
  [
    'a parser that it does not know',
    "KeyError: 'invalid tool call parser: qwen9 (chose from { hermes,mistral,openai })'",
    /^vLLM does not know the parser: invalid tool call parser: qwen9\.$/,
    /toolCallParser/,
  ],
  [
    'more context than the model has',
    "  Value error, User-specified max_model_len (65536) is greater than the derived max_model_len (max_position_embeddings=2048 or model_max_length=None in model's config.json).",
    /no context of 65536 tokens/,
    /Lower `context`/,
  ],
  [
    'an installation without all of it',
    "ModuleNotFoundError: No module named 'vllm'",
    /installation of vLLM is broken: No module named 'vllm'/,
    /anew/,
  ],
];

for (const [name, log, detail, remedy, outOfMemory = false] of endings) {
  test(`the end of a log says why an engine ended: ${name}`, () => {
    const failure = failureOf(`INFO 11-21 18:00:00 [x.py:1] begins\n${log}\n`, 'coder');
    assert.match(failure.detail, detail);
    assert.match(failure.remedy, remedy);
    assert.equal(failure.outOfMemory, outOfMemory);
  });
}

test('an end of an unknown kind is told by the first error, that of the engine itself', () => {
  const log = `(EngineCore pid=7) ERROR 11-21 18:00:00 [core.py:1100] Traceback (most recent call last):
(EngineCore pid=7) ERROR 11-21 18:00:00 [core.py:1100] AssertionError: heads
(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above.
`;
  assert.equal(failureOf(log, 'coder').detail, 'It ended: AssertionError: heads');
  const killed = `(APIServer pid=1) ERROR 11-21 18:00:00 [async_llm.py:906] AsyncLLM output_handler failed.
(APIServer pid=1) ERROR 11-21 18:00:00 [async_llm.py:906] vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue.
(APIServer pid=1) ERROR 11-21 18:00:00 [serving.py:929] Error in chat completion stream generator.
INFO:     Finished server process [1]
`;
  assert.equal(failureOf(killed, 'coder').detail, 'Its core was killed.');
  const whole = failureOf('INFO:     Application startup complete.\n', 'coder');
  assert.match(whole.detail, /without an error; the last that it said is: .*startup complete/);
  assert.match(failureOf('', 'coder').detail, /without a word/);
  assert.match(failureOf('', 'coder').remedy, /model logs coder/);
});

test('what an engine does is told without the prefix of its log', () => {
  const log =
    '(EngineCore pid=7) INFO 11-21 18:00:00 [x.py:1] Starting to load model /weights\n(EngineCore pid=7) \rLoading shards: 50%\n\n';
  assert.equal(lastLine(log), 'Loading shards: 50%');
  assert.equal(lastLine(''), '');
});
