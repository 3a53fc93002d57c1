// An engine that the appliance starts and stops itself: vLLM, Ray Serve or Ollama behind one interface. Used by the supervisor.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { EngineFigures, LocalModel, ManagedEngineKind } from '../../../protocol/local-model.ts';

/** What is to be run. */
export interface Launch {
  /** Unique; in the environment of the process, or the name of the application. */
  id: string;
  model: LocalModel;
  replica: number;
  /** Absolute path of the weights. */
  weights: string;
  /** Indexes of the GPUs it gets. */
  gpus: readonly number[];
  /** Share of each of its GPUs that it may take. */
  gpuMemoryUtilization: number;
}

/** How a launched engine is found again after a restart of the daemon; kept in the database as JSON. */
export const Handle = z.object({
  launch: z.uuid(),
  model: z.string(),
  /** Base address for the gateway, without `/v1`. */
  endpoint: z.string(),
  /** Name that the engine knows the model by. */
  served: z.string(),
  pid: z.number().int().optional(),
  /** Of the process, as in /proc/PID/stat: a pid that was given to another is not ours. */
  startTime: z.string().optional(),
  application: z.string().optional(),
  log: z.string().optional(),
});
export type Handle = z.infer<typeof Handle>;

export type Health =
  | { state: 'loading'; detail: string }
  | { state: 'ready' }
  | { state: 'asleep' }
  /** Ended or broken; `outOfMemory`: other models in its way may be the cause. */
  | { state: 'failed'; detail: string; remedy: string; outOfMemory: boolean };

export interface ManagedEngine {
  readonly kind: ManagedEngineKind;
  /** Begins to load; returns as soon as the engine can be found again. `note` keeps the handle before anything else happens. */
  start(launch: Launch, note: (handle: Handle) => Promise<void>, signal: AbortSignal): Promise<Handle>;
  /** The handle of a launch whose daemon ended before it was kept; undefined when nothing runs. */
  find(launch: Pick<Launch, 'id' | 'model'>): Promise<Handle | undefined>;
  /** Returns when nothing of it is left. */
  stop(handle: Handle): Promise<void>;
  sleep(handle: Handle, level: 1 | 2): Promise<void>;
  wake(handle: Handle): Promise<void>;
  /** Process, its own health check and, once it is ready, one generated token. */
  health(handle: Handle, signal: AbortSignal): Promise<Health>;
  /** Figures of now; undefined where the engine tells none. */
  metrics(handle: Handle, signal: AbortSignal): Promise<EngineReading | undefined>;
}

/** Counters as the engine tells them; two readings make the figures. */
export interface EngineReading extends Pick<
  EngineFigures,
  'running' | 'waiting' | 'kvUsage' | 'generatedTokens' | 'promptTokens'
> {
  at: number;
  firstTokenSeconds: { sum: number; count: number };
  prefix: { looked: number; hit: number };
  /** Memory that the engine says it has taken on each GPU, in MiB. */
  reportedMib?: number;
}

/** The refusal of an engine that has no sleep; `why` says what it knows instead. */
export function neverAsleep({ model }: Handle, why: string): AutocodeError {
  return new AutocodeError('ERR_STATE', `The model ${model} cannot sleep: ${why}.`, {
    remedy: `Set sleepLevel: 0 for it in the catalogue, and unload it: autocode model unload ${model}.`,
  });
}
