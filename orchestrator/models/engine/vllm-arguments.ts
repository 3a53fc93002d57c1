// What `vllm serve` is told: arguments and environment of a launch. Pure. Used by vllm.ts; names are those of vLLM 0.32.
import type { Launch } from './managed.ts';

// What an engine has of the daemon's environment: where things are, and what is meant for it. The daemon's secrets are not
// for it, and VLLM_API_KEY would lock the gateway out.
const INHERITED =
  /^(?:PATH|HOME|USER|LANG|LC_\w+|TZ|TMPDIR|XDG_CACHE_HOME|LD_LIBRARY_PATH|HF_HOME|(?:CUDA|NVIDIA|NCCL|OMP|VLLM|TRITON|TORCHINDUCTOR)_(?!API_KEY)\w+)$/;

/** The arguments of `vllm`. */
export function vllmArguments({ model, weights, gpuMemoryUtilization }: Launch, port: number): string[] {
  const option = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [name, String(value)];
  const embeds = model.task === 'embed';
  return [
    'serve',
    weights,
    // Loopback alone, and no key: vLLM asks for one at /v1 only, while /sleep and /metrics would stay open.
    ...option('--host', '127.0.0.1'),
    ...option('--port', port),
    ...option('--served-model-name', model.name),
    ...option('--tensor-parallel-size', model.tensorParallel),
    ...option('--gpu-memory-utilization', gpuMemoryUtilization),
    ...option('--max-model-len', model.context),
    ...option('--max-num-seqs', model.sequences),
    ...option('--dtype', model.dtype),
    ...option('--quantization', model.quantisation),
    ...option('--kv-cache-dtype', model.kvDtype === 'auto' ? undefined : model.kvDtype),
    ...(embeds ? ['--runner', 'pooling', '--convert', 'embed'] : ['--enable-prefix-caching']),
    ...(model.toolCallParser === undefined
      ? []
      : ['--enable-auto-tool-choice', '--tool-call-parser', model.toolCallParser]),
    ...option('--reasoning-parser', model.reasoningParser),
    ...(model.sleepLevel === 0 ? [] : ['--enable-sleep-mode']),
    '--disable-uvicorn-access-log',
    ...model.flags,
  ];
}

/** The environment of `vllm`, made from the daemon's. */
export function vllmEnvironment(
  { model, gpus }: Launch,
  daemon: Record<string, string | undefined>,
): Record<string, string> {
  const inherited = Object.entries(daemon).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && INHERITED.test(entry[0]),
  );
  return {
    ...Object.fromEntries(inherited),
    PYTHONUNBUFFERED: '1',
    // The order of nvidia-smi, which the indexes are of.
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: gpus.join(','),
    HF_HUB_OFFLINE: '1',
    TRANSFORMERS_OFFLINE: '1',
    VLLM_NO_USAGE_STATS: '1',
    DO_NOT_TRACK: '1',
    VLLM_SERVER_DEV_MODE: '1', // /sleep and /wake_up
    ...model.environment,
  };
}

/** Where an engine answers and by which name, read back from the arguments of its process. */
export function readArguments(argv: readonly string[]): { port: number; served: string } | undefined {
  const after = (name: string) => argv[argv.indexOf(name) + 1];
  if (!argv.includes('--port') || !argv.includes('--served-model-name')) return undefined;
  return { port: Number(after('--port')), served: after('--served-model-name') ?? '' };
}
