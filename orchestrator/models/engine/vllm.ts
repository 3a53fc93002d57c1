// vLLM: one `vllm serve` a replica, a process that outlives the daemon and answers at a port of loopback. Used by the supervisor.
import { once } from 'node:events';
import { access, constants, readFile, readlink } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { AutocodeError } from '../../../protocol/errors.ts';
import { beginLog, logTail, rotateLog } from './engine-process-log.ts';
import { endProcess, findProcess, isAlive, processOf, startProcess } from './engine-process.ts';
import type { Handle, ManagedEngine } from './managed.ts';
import { readArguments, vllmArguments, vllmEnvironment } from './vllm-arguments.ts';
import { failureOf, lastLine, type Failure } from './vllm-failure.ts';
import { reportedMib } from './vllm-metrics.ts';
import { bringsToken, reading, sleep, wake, wellness } from './vllm-requests.ts';

interface VllmOptions {
  /** A name on PATH, or a path. */
  program: string;
  /** Directory of the engines' logs. */
  logs: string;
  /** The daemon's; an engine gets the part that is meant for it. */
  environment: Record<string, string | undefined>;
  warn: (message: string) => void;
}

const STOP_MS = 20_000;

/** Engines that are processes of `vllm serve`. */
export function vllmEngine({ program, logs, environment, warn }: VllmOptions): ManagedEngine {
  // What this daemon has seen of each launch; one that adopts an engine sees it anew.
  const proven = new Set<string>();
  const reported = new Map<string, number | undefined>();

  return {
    kind: 'vllm',

    async start(launch, note, signal) {
      const file = await findVllm(program, environment.PATH ?? '');
      const log = await beginLog(logs, launch);
      const port = await freePort();
      signal.throwIfAborted();
      const started = await startProcess({
        launch: launch.id,
        program: file,
        arguments: vllmArguments(launch, port),
        environment: vllmEnvironment(launch, environment),
        log,
      }).catch((cause: unknown) => {
        throw noProgram(program, cause);
      });
      const { name } = launch.model;
      const handle: Handle = { ...started, model: name, endpoint: address(port), served: name, log };
      try {
        await note(handle);
        signal.throwIfAborted();
      } catch (error) {
        await endProcess(started, 0);
        throw error;
      }
      return handle;
    },

    async find({ id, model }) {
      const found = findProcess(id);
      if (found === undefined) return undefined;
      try {
        const told = readArguments((await readFile(`/proc/${found.pid}/cmdline`, 'utf8')).split('\0'));
        if (told === undefined) return undefined;
        const log = await readlink(`/proc/${found.pid}/fd/1`);
        return { ...found, model: model.name, endpoint: address(told.port), served: told.served, log };
      } catch {
        return undefined; // ended meanwhile
      }
    },

    async stop(handle) {
      proven.delete(handle.launch);
      reported.delete(handle.launch);
      const engine = processOf(handle) ?? findProcess(handle.launch);
      if (engine !== undefined) await endProcess(engine, STOP_MS);
    },

    async sleep(handle, level) {
      proven.delete(handle.launch);
      await sleep(handle, level);
    },

    wake,

    async health(handle, signal) {
      const { log = '', launch, model } = handle;
      await rotateLog(log).catch((error: Error) => warn(`The log ${log} cannot be cut: ${error.message}`));
      const engine = processOf(handle);
      const ended = async () => failureOf(await logTail(log, launch), model);
      if (engine === undefined || !isAlive(engine)) return await ended();
      const state = await wellness(handle, signal);
      if (state === 'asleep') return { state };
      if (state === 'silent') return silent('It takes requests and answers none');
      if (state === 'refused' && !proven.has(launch)) {
        return { state: 'loading', detail: lastLine(await logTail(log, launch)) || 'It begins.' };
      }
      if (state !== 'well') return await ended(); // about to end, with its port closed
      if (!proven.has(launch)) {
        const token = await bringsToken(handle, signal);
        if (!token.well) return silent(`It brought no token: ${token.detail}`);
        proven.add(launch);
      }
      return { state: 'ready' };
    },

    async metrics(handle, signal) {
      const told = await reading(handle, signal);
      const { launch, log = '' } = handle;
      if (!reported.has(launch) && proven.has(launch)) {
        reported.set(launch, reportedMib(await logTail(log, launch)));
      }
      const mib = reported.get(launch);
      return told === undefined || mib === undefined ? told : { ...told, reportedMib: mib };
    },
  };
}

const address = (port: number) => `http://127.0.0.1:${port}`;

function silent(detail: string): Failure {
  return {
    state: 'failed',
    detail: `${detail}.`,
    remedy: 'It is started anew; when that comes back, see its log and `dmesg` for errors of the GPU.',
    outOfMemory: false,
  };
}

function noProgram(program: string, cause?: unknown): AutocodeError {
  return new AutocodeError(
    'ERR_ENGINE_UNAVAILABLE',
    `vLLM cannot be started: there is no program ${program}.`,
    {
      remedy:
        'Install vLLM, or name the program: `models.local.vllm` in the configuration, as /opt/vllm/bin/vllm.',
      cause,
    },
  );
}

/** The path of the program, as PATH has it; thrown with what to do when it is not there. */
export async function findVllm(program: string, searched: string): Promise<string> {
  const candidates = program.includes('/')
    ? [path.resolve(program)]
    : searched
        .split(':')
        .filter(Boolean)
        .map((directory) => path.join(directory, program));
  for (const candidate of candidates) {
    if (
      await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return candidate;
  }
  throw noProgram(program);
}

// Between this and the engine's own bind another program may take it: the engine then ends and gets another with its next start.
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
