// What a model is as an application of Ray Serve, and what its state means: pure functions. Used by ray-serve.ts.
//
// Two kinds. A model on one GPU that calls no tools is run by ray_serve_app.py, which ships with Autocode and needs vLLM
// alone. All others are run by Ray's own ray.serve.llm (`pip install "ray[llm]"`), which spreads a model over GPUs,
// parses tool calls and reasoning, and embeds.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { LocalModel } from '../../../protocol/local-model.ts';
import type { Launch } from './managed.ts';
import type { Application, ApplicationConfig } from './ray-serve-client.ts';

/** In the environment of every process of the application. */
const LAUNCH = 'AUTOCODE_LAUNCH';
const HEALTH_SECONDS = 5;
/** Share of the requests it takes at a time from which another replica is wanted. */
const FULL = 0.75;

/** Whether ray_serve_app.py runs it, which then has to be uploaded. */
export function runsOurCode(model: LocalModel): boolean {
  return (
    model.task === 'generate' &&
    model.tensorParallel === 1 &&
    model.toolCallParser === undefined &&
    model.reasoningParser === undefined
  );
}

/** Its name; a further replica that the supervisor places by itself is an application of its own. */
export function applicationName({ model, replica }: Pick<Launch, 'model' | 'replica'>): string {
  return `autocode-${model.name}${replica === 0 ? '' : `~${replica}`}`;
}

/** Where it answers, below the address of Serve. */
export function routeOf(application: string): string {
  return application.replace('autocode-', '/autocode/');
}

/** The declaration. `code`: where ray_serve_app.py lies on the cluster, when that runs it. */
export function declaration(launch: Launch, code: string | undefined): ApplicationConfig {
  const { model } = launch;
  const name = applicationName(launch);
  const application = { name, route_prefix: routeOf(name) };
  const environment = {
    HF_HUB_OFFLINE: '1',
    VLLM_NO_USAGE_STATS: '1',
    ...model.environment,
    [LAUNCH]: launch.id,
  };
  const limits = {
    max_ongoing_requests: model.sequences,
    health_check_period_s: HEALTH_SECONDS,
    max_constructor_retry_count: 1, // the supervisor tries again, with more memory or later
  };
  const gpu = model.shared ? launch.gpuMemoryUtilization : 1;
  if (code !== undefined) {
    const options = { ray_actor_options: { num_gpus: gpu }, user_config: { sampling: {} } };
    return {
      ...application,
      import_path: 'ray_serve_app:build',
      runtime_env: { py_modules: [code], env_vars: environment },
      args: { served: model.name, engine: { model: launch.weights, ...engineArguments(launch) } },
      deployments: [{ name: 'Model', ...replicasOf(model), ...limits, ...options }],
    };
  }
  const config = {
    model_loading_config: { model_id: model.name, model_source: launch.weights },
    engine_kwargs: engineArguments(launch),
    placement_group_config: { bundle_per_worker: { CPU: 1, GPU: gpu } },
    deployment_config: { ...replicasOf(model), ...limits },
  };
  return {
    ...application,
    import_path: 'ray.serve.llm:build_openai_app',
    runtime_env: { env_vars: environment },
    args: { llm_configs: [config], ingress_deployment_config: { num_replicas: 1 } },
  };
}

// Ray has them all at once, or by their load. The GPUs of the most are reserved for it.
function replicasOf({ replicas: { min, max }, sequences }: LocalModel): object {
  if (min === max) return { num_replicas: min };
  const target = Math.max(1, Math.floor(sequences * FULL));
  return { autoscaling_config: { min_replicas: min, max_replicas: max, target_ongoing_requests: target } };
}

/** The launch that declared it; undefined for an application of somebody else. */
export function launchOf(config: ApplicationConfig | null | undefined): string | undefined {
  const environment = config?.['runtime_env'] as { env_vars?: Record<string, string> } | undefined;
  return environment?.env_vars?.[LAUNCH];
}

function engineArguments(launch: Launch): Record<string, unknown> {
  const { model } = launch;
  return {
    max_model_len: model.context,
    max_num_seqs: model.sequences,
    tensor_parallel_size: model.tensorParallel,
    gpu_memory_utilization: launch.gpuMemoryUtilization,
    ...(model.dtype === undefined ? {} : { dtype: model.dtype }),
    ...(model.quantisation === undefined ? {} : { quantization: model.quantisation }),
    ...(model.kvDtype === 'auto' ? {} : { kv_cache_dtype: model.kvDtype }),
    ...(model.toolCallParser === undefined
      ? {}
      : { enable_auto_tool_choice: true, tool_call_parser: model.toolCallParser }),
    ...(model.task === 'embed' ? { runner: 'pooling', convert: 'embed' } : {}),
    ...(model.reasoningParser === undefined ? {} : { reasoning_parser: model.reasoningParser }),
    ...flagArguments(model),
  };
}

/** `--max-num-batched-tokens 8192 --no-enable-prefix-caching` as arguments of a function in Python. */
function flagArguments({ name, flags }: LocalModel): Record<string, unknown> {
  const named: Record<string, unknown> = {};
  for (let at = 0; at < flags.length; at++) {
    const [, flag, given] = /^--([\w-]+)(?:=(.*))?$/s.exec(flags[at]!) ?? [];
    if (flag === undefined)
      throw new AutocodeError(
        'ERR_CONFIG',
        `The flag "${flags[at]}" of model ${name} cannot be given to Ray Serve.`,
        {
          remedy: 'Write it in its long form in the catalogue of models, as --quantization for -q.',
        },
      );
    const next = flags[at + 1];
    const value = given ?? (next === undefined || next.startsWith('--') ? undefined : flags[++at]);
    if (value !== undefined) named[flag.replaceAll('-', '_')] = valueOf(value);
    else if (flag.startsWith('no-')) named[flag.slice(3).replaceAll('-', '_')] = false;
    else named[flag.replaceAll('-', '_')] = true;
  }
  return named;
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export type ServeState =
  | { state: 'loading'; detail: string }
  | { state: 'failed'; detail: string; remedy: string; outOfMemory: boolean }
  | { state: 'serving' };

/** What the cluster says of an application that was declared for the launch. */
export function serveState(application: Application | undefined, launch: string): ServeState {
  if (application === undefined || launchOf(application.deployed_app_config) !== launch)
    return {
      state: 'failed',
      detail:
        'The Ray cluster does not know the application any more: its head was started anew, or somebody removed it.',
      remedy: 'Nothing is to be done: the application is declared again.',
      outOfMemory: false,
    };
  const deployments = Object.values(application.deployments);
  const messages = [...deployments.map(({ message }) => message), application.message];
  const said = messages.find((message) => message != null && message !== '') ?? '';
  if (application.status === 'DEPLOY_FAILED') return failure(said);
  const up = deployments.map(({ replicas }) => replicas.filter(({ state }) => state === 'RUNNING').length);
  // While replicas are replaced or added the others go on to answer.
  const serves = up.length > 0 && up.every((count) => count > 0);
  if (serves && application.status !== 'DELETING') return { state: 'serving' };
  const replicas = deployments.map(({ replicas: all }, index) => `${up[index]} of ${all.length}`).join(', ');
  const detail = `${application.status.toLowerCase()}, ${replicas || 'no'} replicas are up`;
  return { state: 'loading', detail: said === '' ? detail : `${detail}: ${gist(said)}` };
}

const OUT_OF_MEMORY =
  /out of memory|OutOfMemory|No available memory for the cache|less than desired GPU memory/i;

function failure(said: string): ServeState {
  const outOfMemory = OUT_OF_MEMORY.test(said);
  const remedy = outOfMemory
    ? 'Free the GPUs, or lower context, sequences or gpuMemoryUtilization of the model.'
    : /No module named '?ray\.serve\.llm|pip install .?ray\[llm\]/.test(said)
      ? 'Install Ray with its models on every node of the cluster: pip install "ray[llm]".'
      : /No module named '?vllm/.test(said)
        ? 'Install vLLM on every node of the cluster: pip install vllm, or "ray[llm]".'
        : /config\.json|No such file|not a valid (model|repo)|OSError|local folder/i.test(said)
          ? 'The weights must lie at the same path on every node of the cluster.'
          : "Mend what is said there, then load the model again; its replicas' logs are in the dashboard of the cluster.";
  return { state: 'failed', detail: `Ray Serve could not start it: ${gist(said)}`, remedy, outOfMemory };
}

// eslint-disable-next-line no-control-regex
const COLOUR = /\u001B\[\d*m/g;

/** The line of a Python traceback that says what happened. */
function gist(message: string): string {
  const lines = message.replaceAll(COLOUR, '').split('\n');
  const telling = lines.findLast((line) => /^\w[\w.]*(Error|Exception|Exit|Interrupt)\b.*/.test(line));
  return (telling ?? lines.find((line) => line.trim() !== '') ?? 'no reason given').trim().slice(0, 500);
}
