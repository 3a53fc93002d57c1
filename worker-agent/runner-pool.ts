// The runners of this worker: starts one process a run, adopts those that an earlier worker process started, and ends the runs
// of those that died. Used by main.ts and the claimer.
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../telemetry/log.ts';
import type { WorkOrder } from '../protocol/worker.ts';
import { authorityIn } from './authority.ts';
import { runnerArguments, runnerEnvironment, type WorkerConfig } from './config.ts';
import { tryLock } from './lock.ts';
import {
  createRunDirectory,
  keptRuns,
  readJson,
  readOrder,
  removeRunDirectory,
  runDirectory,
  RunnerProcess,
  type RunDirectory,
} from './run-directory.ts';
import type { StartedRun } from './runners.ts';
import { launchUnconfined, type Launch } from './workspace/overlay.ts';
import { send, startTimeOf } from './run-processes.ts';

const RUNNER = path.join(import.meta.dirname, 'runner', 'main.ts');
const LOOK_MS = 1_000;
const AGAIN_MS = 5_000;

export type PoolConfig = Pick<
  WorkerConfig,
  'url' | 'caFile' | 'stateDir' | 'toolDir' | 'sandbox' | 'workspace'
> & {
  /** How runners are started that may mount; empty where none may. */
  launch: Launch;
};

/** Has a life: `watch` looks after the runs until its signal aborts; the runners themselves live on. */
export class RunnerPool {
  readonly #config: PoolConfig;
  readonly #log: Log;
  /** Runs whose runner lives, as far as is known, and who claimed them; the process where this worker started it. */
  readonly #running = new Map<string, { worker: string; child: ChildProcess | null }>();
  readonly #ending = new Map<string, Promise<void>>();
  /** Runs whose directory is being made. */
  readonly #starting = new Set<string>();
  readonly #events = new EventEmitter().setMaxListeners(0);

  constructor(config: PoolConfig, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  /** Runs that take capacity. */
  get size(): number {
    return this.#running.size;
  }

  /** The same, with the workers that claimed them. */
  runs(): StartedRun[] {
    return [...this.#running].map(([run, { worker }]) => ({ run, worker }));
  }

  /** Resolves when the number of runs may have changed. */
  async changed(signal: AbortSignal): Promise<void> {
    await once(this.#events, 'changed', { signal }).catch(() => {});
  }

  /** Whether the run is looked after: its runner lives as far as is known, or its end is being told. */
  has(run: string): boolean {
    return this.#running.has(run) || this.#ending.has(run) || this.#starting.has(run);
  }

  /** Takes up what an earlier process left, or what is not known for another reason: live runners are counted, dead ones ended by `watch`, unstarted runs started. */
  async adopt(): Promise<void> {
    for (const run of (await keptRuns(this.#config.stateDir)).filter((each) => !this.has(each))) {
      const directory = runDirectory(this.#config.stateDir, run);
      // A live runner is never disturbed, even if this version cannot read its order any more.
      const worker = await readFile(directory.worker, 'utf8').catch(() => '');
      if ((await readJson(directory.runner, RunnerProcess)) !== null)
        this.#running.set(run, { worker, child: null });
      else {
        const order = await readOrder(directory);
        if (order === null) await removeRunDirectory(directory);
        else await this.#spawn(order, worker, directory);
      }
    }
    if (this.size > 0)
      this.#log.info(
        `${this.size} runs of an earlier worker process are looked after: ${[...this.#running.keys()].join(', ')}`,
      );
  }

  /** Starts the runner of a run that a worker claimed; nothing to do when it has one. */
  async start(order: WorkOrder, worker: string): Promise<void> {
    if (this.has(order.run)) return;
    this.#starting.add(order.run);
    try {
      const directory = await createRunDirectory(this.#config.stateDir, order, worker);
      await this.#spawn(order, worker, directory);
    } finally {
      this.#starting.delete(order.run);
    }
  }

  /** Looks after the runs until the signal aborts; ends with nothing half done. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const run of this.#running.keys()) {
        if (!(await this.#lives(run))) await this.#died(run, signal);
      }
      await this.changed(this.size === 0 ? signal : AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]));
    }
    await Promise.all(this.#ending.values());
  }

  /** Stops and removes all runs, and the object caches: they belong to another installation. */
  async discard(): Promise<void> {
    const { discardRun } = await import('./lost-run.ts');
    for (const run of await keptRuns(this.#config.stateDir)) {
      this.#running.delete(run);
      const directory = runDirectory(this.#config.stateDir, run);
      const runner = await readJson(directory.runner, RunnerProcess);
      if (runner !== null && startTimeOf(runner.pid) === runner.startTime) send(runner.pid, 'SIGKILL');
      await discardRun(directory, await readOrder(directory));
    }
    await rm(path.join(this.#config.stateDir, 'cache'), { recursive: true, force: true });
  }

  #changed(): void {
    this.#events.emit('changed');
  }

  async #spawn(order: WorkOrder, worker: string, directory: RunDirectory): Promise<void> {
    const { url, caFile, stateDir, toolDir, sandbox, workspace } = this.#config;
    const { run } = order;
    const launch =
      order.isolation === 'directory' ? launchUnconfined(this.#config.launch) : this.#config.launch;
    const output = await open(directory.output, 'a', 0o600);
    try {
      const settings = runnerArguments({
        directory: directory.path,
        url,
        caFile,
        cacheDir: path.join(stateDir, 'cache'),
        toolDir,
        sandbox,
        workspace: { ...workspace, overlay: launch.length > 0 },
      });
      const [program, ...args] = [...launch, process.execPath, RUNNER, ...settings] as [string, ...string[]];
      const child = spawn(program, args, {
        cwd: stateDir,
        env: runnerEnvironment(),
        detached: true, // it outlives this process
        stdio: ['ignore', output.fd, output.fd],
      });
      child.once('exit', () => this.#changed());
      child.once('error', (error) =>
        this.#log.error(`the runner of run ${run} cannot be started`, { run, error }),
      );
      child.unref();
      this.#running.set(run, { worker, child });
      this.#changed();
      this.#log.info(`run ${run} started`, { run, pid: child.pid });
    } finally {
      await output.close();
    }
  }

  async #lives(run: string): Promise<boolean> {
    const child = this.#running.get(run)?.child;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) return true;
    const runner = await readJson(runDirectory(this.#config.stateDir, run).runner, RunnerProcess);
    return runner !== null && startTimeOf(runner.pid) === runner.startTime;
  }

  // Either it is done and its directory gone, or it died and left one.
  async #died(run: string, signal: AbortSignal): Promise<void> {
    const directory = runDirectory(this.#config.stateDir, run);
    const order = await readOrder(directory);
    if (order === null) {
      await removeRunDirectory(directory);
      this.#running.delete(run);
      this.#log.info(`run ${run} is done`, { run });
      return this.#changed();
    }
    const lock = await tryLock(directory.path, 'runner');
    if (lock === null) return; // a runner that has not yet said which process it is
    this.#running.delete(run);
    const end = this.#end(run, directory, order, signal).finally(async () => await lock.release());
    this.#ending.set(run, end);
    this.#changed();
    this.#log.warn(`the runner of run ${run} is gone; the run is ended for it`, { run });
  }

  async #end(run: string, directory: RunDirectory, order: WorkOrder, signal: AbortSignal): Promise<void> {
    const { endLostRun } = await import('./lost-run.ts');
    const { url, caFile } = this.#config;
    while (!signal.aborted) {
      try {
        const outcome = await endLostRun({ url, ca: authorityIn(caFile), directory, order, signal });
        this.#log.info(`run ${run} is reported as ${outcome}`, { run });
        this.#ending.delete(run);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#log.error(`run ${run} cannot be ended yet: ${(error as Error).message}`, { run, error });
        await delay(AGAIN_MS, undefined, { signal }).catch(() => {});
      }
    }
  }
}
