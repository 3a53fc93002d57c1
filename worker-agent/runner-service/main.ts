// The runner service of a machine whose worker is a job of Nomad: starts the runs that the worker claims, outside of Nomad's
// confinement, and looks after them whatever becomes of the worker. Composition root; autocode-runner.service starts it, as
// `node worker-agent/runner-service/main.ts --config FILE`.
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError, ERRORS } from '../../protocol/errors.ts';
import { createLog } from '../../telemetry/log.ts';
import { serviceManager } from '../../telemetry/service-manager.ts';
import { notifyAddress, runnerServiceConfig, socketOfSystemd } from '../config.ts';
import { tryLock } from '../lock.ts';
import { openOwnRunners } from '../own-runners.ts';
import { listenFor } from './listen.ts';
import { runnerServer } from './server.ts';

const LOOK_MS = 500;

try {
  await main(process.argv.slice(2));
} catch (error) {
  const { message, remedy } = error as AutocodeError;
  process.stderr.write(`${message}${remedy === undefined ? '' : `\n${remedy}`}\n`);
  process.exit(error instanceof AutocodeError && ERRORS[error.code].exit === 2 ? 2 : 1);
}

async function main(argv: string[]): Promise<void> {
  const address = notifyAddress();
  const given = socketOfSystemd();
  const config = await runnerServiceConfig(argv);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  const log = createLog({ directory: config.logDir, service: 'runner-service', level: config.logLevel });
  const manager = serviceManager(address, (message) => log.warn(message));
  const server = runnerServer(stop.signal);
  await listenFor(server.http, given, config.socket);
  await manager.ready(`Runs are for ${config.url}`);
  const taken = () => {
    const error = otherWorker(config.stateDir);
    log.warn(`${error.message} ${error.remedy}`);
    server.refuse(error);
  };
  if (await locked(config.stateDir, taken, stop.signal)) {
    const { machine, kept } = await openOwnRunners(config, log, stop.signal);
    server.open(machine);
    log.info(`starts runs of ${config.url}`);
    await kept;
    await manager.stopping(`Stopping; ${machine.pool.size} runners go on`);
  }
  await log.close();
  process.exit(0); // connections of claimers, who come again
}

/** Waits for the state directory, as long as it takes; claimers are told meanwhile. False when it is told to stop before. */
async function locked(stateDir: string, taken: () => void, signal: AbortSignal): Promise<boolean> {
  for (let told = false; !signal.aborted; told = true) {
    if ((await tryLock(stateDir, 'worker')) !== null) return true;
    if (!told) taken();
    await delay(LOOK_MS, undefined, { signal }).catch(() => {});
  }
  return false;
}

function otherWorker(stateDir: string): AutocodeError {
  return new AutocodeError('ERR_CONFLICT', `A worker of this machine's own uses ${stateDir}.`, {
    remedy:
      'A machine has that or a worker under Nomad, never both: `systemctl disable --now autocode-worker` there, or keep the job off this machine.',
  });
}
