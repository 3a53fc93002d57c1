// `autocode up`.
import {
  serviceManager,
  type NotifyAddress,
  type ServiceManager,
} from '../../../telemetry/service-manager.ts';
import { notifyAddress } from '../../config/client-environment.ts';
import { runningSettings, type RunningSettings } from '../../config/settings.ts';
import { apiAnswers } from '../../daemon/answers.ts';
import type { Daemon, startDaemon as StartDaemon } from '../../main.ts';
import type { GlobalArgs } from '../command.ts';
import { print, printJson } from '../output.ts';
import { loadSettings, sourcesOf } from '../settings.ts';
import { ensureDaemon } from './start.ts';

interface Args extends GlobalArgs {
  detach: boolean;
  quiet: boolean;
  roles: string | undefined;
}

/** Starts the daemon: here until it is told to stop, or in the background until it is ready. */
export async function up(args: Args): Promise<void> {
  if (args.detach) return await inBackground(args);
  const roles = args.roles === undefined ? [] : [`roles=${args.roles}`];
  const sources = { ...args, set: [...(args.set ?? []), ...roles] };
  const load = () => runningSettings(loadSettings(sources), sourcesOf(sources));
  const settings = load();
  const address = notifyAddress();
  const { startDaemon } = await import('../../main.ts');
  const how: HowToStart = { startDaemon, address, console: !args.quiet };
  const stopRequested = untilStopRequested();
  let served = await serve(how, settings);
  while ((await Promise.race([stopRequested, served.daemon.left, served.restart])) === 'restart')
    served = await serveAnew(how, served, load);
  await Promise.all([served.manager.stopping('Stopping; runs go on'), served.daemon.stop()]);
}

interface HowToStart {
  startDaemon: typeof StartDaemon;
  address: NotifyAddress | undefined;
  console: boolean;
}

interface Served {
  settings: RunningSettings;
  daemon: Daemon;
  manager: ServiceManager;
  /** Resolves when the daemon is asked to start anew. */
  restart: Promise<'restart'>;
}

async function serve(
  { address, console, startDaemon }: HowToStart,
  settings: RunningSettings,
): Promise<Served> {
  const { promise: restart, resolve } = Promise.withResolvers<'restart'>();
  const daemon = await startDaemon(settings, { console, restart: () => resolve('restart') });
  const manager = serviceManager(address, (message) => daemon.log.warn(message));
  await manager.ready(`Serves at ${daemon.url}`, apiAnswers(settings.config));
  return { settings, daemon, manager, restart };
}

/** Starts with what the configuration says by now; with what it said before where that cannot be started. */
async function serveAnew(
  how: HowToStart,
  { settings, daemon, manager }: Served,
  load: () => RunningSettings,
): Promise<Served> {
  await Promise.all([manager.restarting('Starting anew; runs go on'), daemon.stop()]);
  try {
    return await serve(how, load());
  } catch (error) {
    settings.couldNotTake(error as Error);
    const served = await serve(how, settings);
    served.daemon.log.error(`could not start with the changed configuration: ${String(error)}`, { error });
    return served;
  }
}

/** Resolves at the first Ctrl-C or SIGTERM, also one that came during the start; the second Ctrl-C ends the process at once. */
function untilStopRequested(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

async function inBackground(args: Args): Promise<void> {
  const begun = Date.now();
  const { daemon, started } = await ensureDaemon(args);
  if (args.json) return printJson({ started, pid: daemon.pid, url: daemon.url });
  if (!started) return print(`The daemon runs already (pid ${daemon.pid}) at ${daemon.url}.`);
  print(
    `The daemon is ready after ${((Date.now() - begun) / 1000).toFixed(1)} s (pid ${daemon.pid}) at ${daemon.url}. Stop it with \`autocode down\`.`,
  );
}
