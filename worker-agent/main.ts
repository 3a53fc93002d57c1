// The worker process: registers, claims runs and starts a runner for each. It can be stopped and started at any time; its
// runners live on. Started by the daemon for the local worker, by a unit elsewhere: `node worker-agent/main.ts --config FILE`.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../protocol/errors.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { serviceManager } from '../telemetry/service-manager.ts';
import { claimRuns } from './claimer.ts';
import { notifyAddress, programPath, socketBase, workerConfig, type WorkerConfig } from './config.ts';
import { tryLock } from './lock.ts';
import { keepReconciled } from './reconcile.ts';
import { RunnerPool } from './runner-pool.ts';
import { overlayLaunch, type Launch } from './workspace/overlay.ts';

/** For the worker before this one to end. */
const LOCK_MS = 10_000;

try {
  await main(process.argv.slice(2));
} catch (error) {
  const { message, remedy } = error as AutocodeError;
  process.stderr.write(`${message}${remedy === undefined ? '' : `\n${remedy}`}\n`);
  process.exitCode = 1;
}

async function main(argv: string[]): Promise<void> {
  const address = notifyAddress();
  const config = await workerConfig(argv);
  const stop = new AbortController();
  setInterval(() => {}, 2 ** 30); // with room for no run there is nothing else that keeps the process
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  await lockState(config.stateDir, stop.signal);
  const log = createLog({ directory: config.logDir, service: 'worker', level: config.logLevel });
  const launch = await launchOf(config, log, stop.signal);
  const pool = new RunnerPool({ ...config, launch }, log);
  await pool.adopt();
  const { version } = JSON.parse(
    readFileSync(path.join(import.meta.dirname, '..', 'package.json'), 'utf8'),
  ) as { version: string };
  const manager = serviceManager(address, (message) => log.warn(message));
  await manager.ready(`Takes runs of ${config.url}`);
  const places = { stateDir: config.stateDir, socketBase: socketBase(), pool };
  await Promise.all([
    pool.watch(stop.signal),
    claimRuns({ config, version, pool, log }, stop.signal),
    keepReconciled(places, log, stop.signal),
  ]);
  await manager.stopping(`Stopping; ${pool.size} runners go on`);
  log.info(pool.size === 0 ? 'stopped' : `stopped; ${pool.size} runners go on`);
  await log.close();
  process.exit(0); // an idle connection is no reason to stay
}

/** How runners are started so that they can mount; empty where that is not wanted or not possible. */
async function launchOf(
  { workspace, stateDir }: WorkerConfig,
  log: Log,
  signal: AbortSignal,
): Promise<Launch> {
  if (!workspace.overlay) return [];
  const { launch, refused } = await overlayLaunch({ path: programPath(), signal }, stateDir);
  if (refused !== null)
    log.warn(`work trees are checkouts, which take longer: no overlay can be mounted here: ${refused}`);
  return launch;
}

async function lockState(stateDir: string, signal: AbortSignal): Promise<void> {
  for (const giveUp = performance.now() + LOCK_MS; !signal.aborted; await delay(100)) {
    if ((await tryLock(stateDir, 'worker')) !== null) return;
    if (performance.now() < giveUp) continue;
    throw new AutocodeError('ERR_CONFLICT', `Another worker uses ${stateDir}.`, {
      remedy: 'Stop it, or give this one another state directory.',
    });
  }
}
