// Why an engine ended, read from the end of its log: a sentence and what to do. Pure. Used by vllm.ts; the cases are in
// the test beside, with the words of vLLM 0.32, PyTorch and the driver.
import type { Health } from './managed.ts';

export type Failure = Extract<Health, { state: 'failed' }>;

interface Cause {
  pattern: RegExp;
  /** `$1` is the pattern's first group. */
  detail: string;
  remedy: string;
  outOfMemory?: true;
}

const DRIVER =
  'Reboot, or reload the driver: `nvidia-smi` must work first. A driver that is too old is upgraded with its package.';

// In this order: what comes first is the cause where several match.
const CAUSES: readonly Cause[] = [
  {
    pattern: /has fallen off the bus|GPU is lost|Unable to determine the device handle/i,
    detail: 'A GPU has fallen off the bus.',
    remedy: 'Look at `dmesg` for Xid 79; reboot, and check power and slot when it comes back.',
  },
  {
    pattern:
      /Driver\/library version mismatch|driver version is insufficient|NVIDIA driver on your system is too old|(?:Error 803|unsupported display driver|forward compatibility was attempted)/i,
    detail: 'The NVIDIA driver does not fit: $0.',
    remedy: DRIVER,
  },
  {
    pattern:
      /no CUDA-capable device|No CUDA GPUs are available|Failed to infer device type|NVML Shared Library Not Found|invalid device ordinal/i,
    detail: 'vLLM finds no GPU: $0.',
    remedy: 'See `nvidia-smi`; where it shows the GPUs, check that the installed vLLM is the build for CUDA.',
  },
  {
    pattern: /uncorrectable (?:NVLink|ECC) error[^\n]*/i,
    detail: 'The memory of a GPU has an error: $0.',
    remedy:
      'Look at `nvidia-smi -q -d ECC`; a reboot retires the broken row. Replace the GPU when it comes back.',
  },
  {
    pattern: /Free memory on device[^\n]*? \(([\d.]+\/[\d.]+ GiB)\) on startup is less than[^\n]*/,
    detail: 'Less memory is free on a GPU than the model was to take ($1 free).',
    remedy: 'Something else holds it: see `autocode model gpus`.',
    outOfMemory: true,
  },
  {
    pattern: /Available memory on node \d+ \(([\d.]+\/[\d.]+) GiB\)[^\n]*is less than/,
    detail: 'Less memory is free than the model was to take ($1 GiB free).',
    remedy: 'End what else takes memory, or give it less: `gpuMemoryUtilization` in the catalogue.',
    outOfMemory: true,
  },
  {
    pattern:
      /No available memory for the cache blocks|(?:KV cache is needed|KV cache memory), which is larger than the available[^\n]*|larger than the available KV cache memory/i,
    detail: 'The weights leave too little memory for the context.',
    remedy:
      'Give it less context or fewer sequences, or raise `gpuMemoryUtilization` in the catalogue; `autocode model plan` computes what fits.',
  },
  {
    pattern:
      /CUDA out of memory[^\n]*|torch\.OutOfMemoryError[^\n]*|CUDA error: out of memory|cudaErrorMemoryAllocation|DefaultCPUAllocator: (?:can't|not enough) [^\n]*|std::bad_alloc|Cannot allocate memory|MemoryError/,
    detail: 'It ran out of memory.',
    remedy:
      'See what takes it: `autocode model gpus`; less context or fewer sequences need less: `autocode model plan`.',
    outOfMemory: true,
  },
  {
    pattern:
      /SafetensorError|Error while deserializing header|MetadataIncompleteBuffer|InvalidHeader|PytorchStreamReader failed/,
    detail: 'A file of its weights is truncated or damaged.',
    remedy: 'See which one: `autocode model verify`; import the weights again.',
  },
  {
    pattern:
      /Cannot find any model weights|No safetensors weights found|does not appear to have a file named ([\w.-]+)|Invalid repository ID or local directory|is not a local folder/,
    detail: 'Files of its weights are missing.',
    remedy: 'See which ones: `autocode model verify`; import the weights again.',
  },
  {
    pattern:
      /Model architectures \[['"]?([\w]+)|model type `([\w.-]+)` but Transformers does not recognize|Unrecognized model in|(\w+) has no vLLM implementation/,
    detail: 'This vLLM does not know the architecture of the model: $1.',
    remedy:
      'Upgrade vLLM, or take a model of an architecture that it knows; config.json of the weights names it.',
  },
  {
    pattern: /Address already in use|error while attempting to bind on address|Errno 98/i,
    detail: 'Its port was taken by another program meanwhile.',
    remedy: 'It gets another port with the next start.',
  },
  {
    pattern: /vllm(?: serve)?: error: ([^\n]*)|error: (unrecognized arguments: [^\n]*)/,
    detail: 'vLLM does not take its arguments: $1.',
    remedy:
      'Correct the model in the catalogue (`flags` and what else is told to vLLM); `vllm serve --help=all` lists them.',
  },
  {
    pattern: /invalid (?:tool call|reasoning) parser: [\w.-]+/,
    detail: 'vLLM does not know the parser: $0.',
    remedy: 'Correct `toolCallParser` or `reasoningParser` of the model in the catalogue.',
  },
  {
    pattern:
      /must be divisible by tensor parallel size[^\n]*|not divisible by (?:the )?(?:tensor|world)[^\n]*/i,
    detail: 'The model cannot be split over so many GPUs.',
    remedy: 'Lower `tensorParallel` in the catalogue; `autocode model plan` shows what fits.',
  },
  {
    pattern:
      /User-specified max_model_len \((\d+)\) is greater than the derived max_model_len \([^)]*?(\d+)[^)]*\)/,
    detail: 'The model has no context of $1 tokens.',
    remedy: 'Lower `context` of the model in the catalogue.',
  },
  {
    pattern:
      /Bfloat16 is only supported on GPUs[^\n]*|Quantization method specified in the (?:model config|argument)[^\n]*|is not supported for the current GPU[^\n]*/,
    detail: 'This GPU or these weights do not allow what the catalogue asks: $0.',
    remedy: 'Correct `dtype`, `quantisation` or `kvDtype` of the model in the catalogue.',
  },
  {
    pattern: /Sleep mode is not supported/,
    detail: 'Models cannot sleep on this hardware.',
    remedy: 'Set `sleepLevel: 0` for the model in the catalogue.',
  },
  {
    pattern: /No module named '([\w.]+)'|: cannot open shared object file[^\n]*/,
    detail: 'The installation of vLLM is broken: $0.',
    remedy: 'Install vLLM anew, in a virtual environment of its own.',
  },
];

/** What the server says when its core has ended. */
const CORE_GONE = /EngineDeadError|Engine core initialization failed|Error in [\w ]+ stream generator/;

/** What the end of a log says of an engine that has ended; `model` for the remedy. */
export function failureOf(log: string, model: string): Failure {
  for (const { pattern, detail, remedy, outOfMemory = false } of CAUSES) {
    const match = pattern.exec(log);
    if (match === null) continue;
    const told = detail.replace(/\$(\d)/g, (_, group: string) =>
      group === '0'
        ? match[0].trim().replace(/\.$/, '')
        : (match.slice(Number(group)).find((each) => each !== undefined) ?? 'see its log'),
    );
    return { state: 'failed', detail: told, remedy, outOfMemory };
  }
  return {
    state: 'failed',
    detail: lastWords(log),
    remedy: `See its log: \`autocode model logs ${model}\`. What ends without an error was killed, as when the memory of the machine ran out: see \`dmesg\`.`,
    outOfMemory: false,
  };
}

function lastWords(log: string): string {
  const error = ownError(log);
  if (error !== undefined) return `It ended: ${error}`;
  if (CORE_GONE.test(log)) return 'Its core was killed.';
  const last = lastLine(log);
  return last === ''
    ? 'It ended without a word.'
    : `It ended without an error; the last that it said is: ${last}`;
}

/** The last line of a log, without its prefix. */
export function lastLine(log: string): string {
  return lines(log).at(-1)?.slice(0, 200) ?? '';
}

// Of several errors the first: it is the core's own, what the server says of its end comes later.
function ownError(log: string): string | undefined {
  return lines(log)
    .find(
      (line) => /^[\w.]*(?:Error|Exception)\b|^[\w./-]+: error|^error\b/i.test(line) && !CORE_GONE.test(line),
    )
    ?.slice(0, 300);
}

// "(EngineCore pid=1) ERROR 11-21 18:00:00 [core.py:123] ValueError: …" → "ValueError: …"
function lines(log: string): string[] {
  const prefix = /^(?:\([^)]*pid=\d+\)\s*)?(?:[A-Z]+ [\d-]+ [\d:]+ \[[^\]]*\]\s*)?/;
  return log
    .split(/[\r\n]+/)
    .map((line) => line.replace(prefix, '').trim())
    .filter(Boolean);
}
