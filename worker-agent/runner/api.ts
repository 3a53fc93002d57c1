// The calls of a run, with its token and fence. Each is repeated while the orchestrator is away: its restart must not fail a run.
// Used by the runner, and by the worker for runs whose runner died.
import type { Readable } from 'node:stream';
import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { z } from 'zod';
import { RunBudget } from '../../protocol/budget.ts';
import { RunDependencies, type RunDependenciesUpdate } from '../../protocol/dependency-cache.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { LogAck } from '../../protocol/log.ts';
import { DeliveryAnswer, type DeliveryInput, type Message } from '../../protocol/message.ts';
import { RunMemory, RunMemoryAnswer, type RunMemoryUpdate } from '../../protocol/memory.ts';
import {
  BaseAnswer,
  HeartbeatAnswer,
  SignalsAnswer,
  type FinishInput,
  type ProgressInput,
} from '../../protocol/run.ts';
import type { SandboxUsage } from '../../protocol/sandbox-usage.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import { apiClient, download, untilAnswered } from '../api-client.ts';

export interface RunApi {
  base(): Promise<BaseAnswer>;
  /** The archive of the run's environment, once. */
  environment(): Promise<Readable>;
  progress(change: Omit<ProgressInput, 'fence'>): Promise<void>;
  /** Once, not repeated: the lease counts successes. */
  heartbeat(sandboxUsage?: SandboxUsage): Promise<HeartbeatAnswer>;
  /** Says what the agent was given; answers what came after that. */
  messages(delivery: Omit<DeliveryInput, 'fence'>): Promise<Message[]>;
  /** Once: waits at the orchestrator until there is something to do, a message after that number, or the time is up. */
  signals(waitSeconds: number, after: number): Promise<SignalsAnswer>;
  /** What the run has spent and may spend. */
  budget(): Promise<RunBudget>;
  /** The notes of earlier runs; none from an orchestrator that keeps none. */
  memory(): Promise<RunMemory>;
  /** Leaves notes about a repository. */
  keepMemory(input: Omit<RunMemoryUpdate, 'fence'>): Promise<RunMemoryAnswer>;
  /** Versions of the caches of dependencies that it may use; none from an orchestrator that knows of none. */
  dependencies(): Promise<RunDependencies>;
  /** Tells of a version that this worker has. */
  keepDependencies(input: Omit<RunDependenciesUpdate, 'fence'>): Promise<void>;
  appendLog(stream: string, offset: number, bytes: Uint8Array): Promise<LogAck>;
  finish(input: Omit<FinishInput, 'fence'>): Promise<void>;
}

const compress = promisify(gzip);
/** The orchestrator fetches the repository meanwhile. */
const BASE_MS = 10 * 60_000;
const LONGEST_HEARTBEAT_MS = 8_000;
const NO_MEMORY: RunMemory = { kept: false, repositories: [] };
const NO_CACHES: RunDependencies = { kept: false, repository: 0, generation: 0, versions: [] };

/** `signal` ends what is under way and the patience with an orchestrator that is away. */
export function runApi({
  url,
  ca,
  order,
  signal,
}: {
  url: string;
  ca?: string | undefined;
  order: WorkOrder;
  signal: AbortSignal;
}): RunApi {
  const call = apiClient({ url, token: order.runToken, ca });
  const { run, fence, lease } = order;
  // One that hangs leaves time for another before the lease is over.
  const heartbeatMs = Math.min(LONGEST_HEARTBEAT_MS, Math.floor((lease.leaseSeconds * 1000) / 3));
  const path = (rest: string) => `/runs/${run}/${rest}`;
  const post = async <T>(rest: string, body: object, answer: z.ZodType<T>, timeoutMs?: number) =>
    await call({
      method: 'POST',
      path: path(rest),
      json: { fence, ...body },
      answer,
      signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  return {
    base: async () => await untilAnswered(async () => await post('base', {}, BaseAnswer, BASE_MS), signal),
    environment: async () => await download({ url, ca, token: order.runToken }, path('environment'), signal),
    heartbeat: async (sandboxUsage) =>
      await post('heartbeat', { sandboxUsage }, HeartbeatAnswer, heartbeatMs),
    async progress(change) {
      await untilAnswered(async () => await post('progress', change, z.unknown()), signal);
    },
    async finish(input) {
      await untilAnswered(async () => await post('finish', input, z.unknown()), signal);
    },
    async messages(delivery) {
      const send = async () => await post('messages', delivery, DeliveryAnswer);
      return (await untilAnswered(send, signal)).messages;
    },
    signals: async (waitSeconds, after) =>
      await call({
        method: 'GET',
        path: path(`signals?fence=${fence}&waitSeconds=${waitSeconds}&after=${after}`),
        answer: SignalsAnswer,
        timeoutMs: (waitSeconds + 10) * 1000,
        signal,
      }),
    async budget() {
      const ask = async () => await call({ method: 'GET', path: path('budget'), answer: RunBudget, signal });
      return await untilAnswered(ask, signal);
    },
    async memory() {
      const ask = async () => await call({ method: 'GET', path: path('memory'), answer: RunMemory, signal });
      return await untilAnswered(ask, signal).catch(unlessUnknown(NO_MEMORY));
    },
    async keepMemory(input) {
      const json = { fence, ...input };
      const send = async () =>
        await call({ method: 'PUT', path: path('memory'), json, answer: RunMemoryAnswer, signal });
      return await untilAnswered(send, signal);
    },
    async dependencies() {
      const ask = async () =>
        await call({ method: 'GET', path: path('dependencies'), answer: RunDependencies, signal });
      return await untilAnswered(ask, signal).catch(unlessUnknown(NO_CACHES));
    },
    async keepDependencies(input) {
      const json = { fence, ...input };
      const send = async () =>
        await call({ method: 'PUT', path: path('dependencies'), json, answer: z.null(), signal });
      await untilAnswered(send, signal);
    },
    async appendLog(stream, offset, bytes) {
      const packed = await compress(bytes);
      const send = async () =>
        await call({
          method: 'POST',
          path: path(`logs/${stream}?offset=${offset}&fence=${fence}`),
          gzip: packed,
          answer: LogAck,
          signal,
        });
      return await untilAnswered(send, signal);
    },
  };
}

// For a route that an older orchestrator does not have.
function unlessUnknown<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof AutocodeError && error.code === 'ERR_NOT_FOUND') return instead;
    throw error;
  };
}
