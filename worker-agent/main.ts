// The worker process: registers, claims runs and has a runner started for each, by itself or by the runner service of its
// machine. It can be stopped and started at any time; runners live on. Started by the daemon for the local worker, by a unit or
// by Nomad elsewhere: `node worker-agent/main.ts --config FILE`.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError, ERRORS } from '../protocol/errors.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { serviceManager } from '../telemetry/service-manager.ts';
import { claimRuns } from './claimer.ts';
import { notifyAddress, workerConfig, type ClaimerConfig, type WorkerConfig } from './config.ts';
import type { Health } from './health.ts';
import { tryLock } from './lock.ts';
import { refuseUnknownAgent } from './registration.ts';
import type { Runners } from './runners.ts';

/** For the worker before this one to end. */
const LOCK_MS = 10_000;

const stop = new AbortController();

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error === stop.signal.reason) process.exit(0); // told to end before it had begun
  const { message, remedy } = error as AutocodeError;
  process.stderr.write(`${message}${remedy === undefined ? '' : `\n${remedy}`}\n`);
  // Wrong use alone is told apart: whoever starts workers need not try that again.
  process.exit(error instanceof AutocodeError && ERRORS[error.code].exit === 2 ? 2 : 1);
}

async function main(argv: string[]): Promise<void> {
  const address = notifyAddress();
  const config = await workerConfig(argv);
  setInterval(() => {}, 2 ** 30); // with room for no run there is nothing else that keeps the process
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  const { runners, kept, log } = await openRunners(config, stop.signal);
  const manager = serviceManager(address, (message) => log.warn(message));
  const health = await openHealth(config);
  const parts = { config, version: productVersion(), runners, log, ...(health && { health }) };
  await refuseUnknownAgent(parts);
  await manager.ready(`Takes runs of ${config.url}`);
  if (config.placement === 'dispatch') {
    const { claimOnce } = await import('./claim-once.ts');
    await Promise.race([claimOnce(parts, stop.signal), kept]).catch(unlessStopped);
    stop.abort();
  }
  await Promise.all([claimRuns(parts, stop.signal), kept]);
  const left = runners.runs().length;
  await manager.stopping(`Stopping; ${left} runners go on`);
  log.info(left === 0 ? 'stopped' : `stopped; ${left} runners go on`);
  await log.close();
  process.exit(0); // an idle connection is no reason to stay
}

function unlessStopped(error: unknown): void {
  if (!stop.signal.aborted) throw error;
}

async function openHealth(config: WorkerConfig | ClaimerConfig): Promise<Health | undefined> {
  if (!('healthAddress' in config) || config.healthAddress === undefined) return undefined;
  const { serveHealth } = await import('./health.ts');
  return await serveHealth(config.healthAddress);
}

interface Opened {
  runners: Runners;
  /** Ends with the signal; fails when this worker may not go on. */
  kept: Promise<unknown>;
  log: Log & { close(): Promise<void> };
}

async function openRunners(config: WorkerConfig | ClaimerConfig, signal: AbortSignal): Promise<Opened> {
  if ('runnerSocket' in config) {
    const log = createLog({ service: 'worker', level: config.logLevel });
    const { takeSeat } = await import('./runner-service/client.ts');
    const { runnerSocket: socket, name, allocation } = config;
    const once = config.placement === 'dispatch';
    const seat = { worker: name, version: productVersion(), allocation: allocation ?? null, once };
    return { ...(await takeSeat(socket, seat, log, signal)), log };
  }
  await lockState(config.stateDir, signal);
  const log = createLog({ directory: config.logDir, service: 'worker', level: config.logLevel });
  const [{ openOwnRunners }, { localRunners }] = await Promise.all([
    import('./own-runners.ts'),
    import('./local-runners.ts'),
  ]);
  const { machine, kept } = await openOwnRunners(config, log, signal);
  return { runners: localRunners(machine, config.name), kept, log };
}

async function lockState(stateDir: string, signal: AbortSignal): Promise<void> {
  for (const giveUp = performance.now() + LOCK_MS; !signal.aborted; await delay(100)) {
    if ((await tryLock(stateDir, 'worker')) !== null) return;
    if (performance.now() < giveUp) continue;
    throw new AutocodeError('ERR_CONFLICT', `Another worker uses ${stateDir}.`, {
      remedy:
        'A machine has a worker of its own or, under Nomad, the runner service (autocode-runner.service), never both: stop one, or give this one another state directory.',
    });
  }
}

function productVersion(): string {
  const file = path.join(import.meta.dirname, '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
