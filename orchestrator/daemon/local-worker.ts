// The worker on this machine: a process of its own, started again when it ends, told to end when the daemon does, however that ends.
// Its runners outlive it: the next worker takes them over.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { replaceToken } from '../access/tokens.ts';
import { writeFileAtomic } from '../config/atomic-file.ts';
import { inheritedEnvironment } from '../config/client-environment.ts';
import type { DataDirectory } from '../config/data-directory.ts';
import type { Config } from '../config/schema.ts';
import type { Queryable } from '../db/connect.ts';
import type { Log } from '../../telemetry/log.ts';

const PROGRAM = join(import.meta.dirname, '../../worker-agent/main.ts');
const STOP_MS = 10_000;
const STEADY_MS = 10_000;
const LONGEST_PAUSE_MS = 30_000;
// A worker waits most of its life: a small young generation keeps it small.
const NODE_OPTIONS = ['--max-semi-space-size=1'];

export interface LocalWorkerOptions {
  db: Queryable;
  directory: DataDirectory;
  config: Config;
  /** Address of the API. */
  url: string;
  log: Log;
}

/** Starts the worker and keeps it running. */
export async function startLocalWorker({
  db,
  directory,
  config,
  url,
  log,
}: LocalWorkerOptions): Promise<{ stop(): Promise<void> }> {
  const { name, concurrency, project, dailyBudget, labels } = config.worker;
  const run = directory.path('run');
  const tokenFile = join(run, 'worker-token');
  const file = join(run, 'worker.json');
  await writeFileAtomic(
    tokenFile,
    (await replaceToken(db, { name: `local-worker-${name}`, role: 'worker' })).token,
  );
  await writeFileAtomic(
    file,
    JSON.stringify({
      url,
      tokenFile,
      name,
      concurrency,
      placement: 'local',
      stateDir: directory.path('worker'),
      toolDir: directory.path('agents'),
      logDir: directory.path('logs/orchestrator'),
      logLevel: config.log.level,
      sandbox: config.sandbox,
      workspace: config.workspace,
    }),
  );
  const stopping = new AbortController();
  // As a worker job has them; empty ones count as none.
  const variables = {
    AUTOCODE_WORKER_PROJECT: project ?? '',
    AUTOCODE_WORKER_DAILY_BUDGET: String(dailyBudget ?? ''),
    AUTOCODE_WORKER_LABELS: labels.join(','),
    AUTOCODE_WORKER_PLACEMENT: '',
    NOMAD_ALLOC_ID: '',
  };
  const done = keepRunning(file, variables, stopping.signal, log);
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

async function keepRunning(
  file: string,
  variables: Record<string, string>,
  stopping: AbortSignal,
  log: Log,
): Promise<void> {
  for (let pause = 500; !stopping.aborted;) {
    const started = performance.now();
    const worker = startProcess(file, variables);
    const stop = () => void endProcess(worker);
    stopping.addEventListener('abort', stop);
    const words = lastWords(worker);
    const [code, signal] = await once(worker, 'close').catch((error: Error) => [error.message, null]);
    stopping.removeEventListener('abort', stop);
    if (stopping.aborted) return;
    pause = performance.now() - started > STEADY_MS ? 500 : Math.min(pause * 2, LONGEST_PAUSE_MS);
    log.warn(`the local worker ended (${signal ?? code}), it is started again in ${pause} ms: ${words()}`, {
      part: 'worker',
    });
    await delay(pause, undefined, { signal: stopping }).catch(() => {});
  }
}

// The kernel tells the worker when this process is gone, also after kill -9.
function startProcess(file: string, variables: Record<string, string>): ChildProcess {
  const command = ['--pdeathsig', 'TERM', '--', process.execPath, ...NODE_OPTIONS, PROGRAM, '--config', file];
  const env = { ...inheritedEnvironment(), ...variables };
  return spawn('setpriv', command, { env, stdio: ['ignore', 'ignore', 'pipe'] });
}

async function endProcess(worker: ChildProcess): Promise<void> {
  worker.kill('SIGTERM');
  const timer = setTimeout(() => worker.kill('SIGKILL'), STOP_MS);
  await once(worker, 'close');
  clearTimeout(timer);
}

function lastWords(worker: ChildProcess): () => string {
  let text = '';
  worker.stderr?.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-2000)));
  return () => text.trim().split('\n').slice(-3).join(' | ');
}
