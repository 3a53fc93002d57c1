// The worker process: registers, claims runs and starts a runner for each. It can be stopped and started at any time; its
// runners live on. Started by the daemon for the local worker, by a unit elsewhere: `node worker-agent/main.ts --config FILE`.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../protocol/errors.ts';
import { createLog } from '../telemetry/log.ts';
import { claimRuns } from './claimer.ts';
import { socketBase, workerConfig } from './config.ts';
import { tryLock } from './lock.ts';
import { keepReconciled } from './reconcile.ts';
import { RunnerPool } from './runner-pool.ts';

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
  const config = await workerConfig(argv);
  const stop = new AbortController();
  setInterval(() => {}, 2 ** 30); // with room for no run there is nothing else that keeps the process
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  await lockState(config.stateDir, stop.signal);
  const log = createLog({ directory: config.logDir, service: 'worker', level: config.logLevel });
  const pool = new RunnerPool(config, log);
  await pool.adopt();
  const { version } = JSON.parse(
    readFileSync(path.join(import.meta.dirname, '..', 'package.json'), 'utf8'),
  ) as { version: string };
  const places = { stateDir: config.stateDir, socketBase: socketBase(), pool };
  await Promise.all([
    pool.watch(stop.signal),
    claimRuns({ config, version, pool, log }, stop.signal),
    keepReconciled(places, log, stop.signal),
  ]);
  log.info(pool.size === 0 ? 'stopped' : `stopped; ${pool.size} runners go on`);
  await log.close();
  process.exit(0); // an idle connection is no reason to stay
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
