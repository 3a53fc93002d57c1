// `autocode up`.
import { serviceManager } from '../../../telemetry/service-manager.ts';
import { notifyAddress } from '../../config/client-environment.ts';
import { runningSettings } from '../../config/settings.ts';
import { apiAnswers } from '../../daemon/answers.ts';
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
  const settings = runningSettings(loadSettings(sources), sourcesOf(sources));
  const address = notifyAddress();
  const { startDaemon } = await import('../../main.ts');
  const stopRequested = untilStopRequested();
  const daemon = await startDaemon(settings, !args.quiet);
  const manager = serviceManager(address, (message) => daemon.log.warn(message));
  await manager.ready(`Serves at ${daemon.url}`, apiAnswers(settings.config));
  await Promise.race([stopRequested, daemon.left]);
  await Promise.all([manager.stopping('Stopping; runs go on'), daemon.stop()]);
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
