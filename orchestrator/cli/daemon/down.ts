// `autocode down`.
import type { GlobalArgs } from '../command.ts';
import { print, printJson } from '../output.ts';
import { loadSettings } from '../settings.ts';
import { stopDaemon } from './stop.ts';

/** Stops the daemon of the configured data directory; none running is no error. */
export async function down(args: GlobalArgs): Promise<void> {
  const { dataDir } = loadSettings(args).config;
  const daemon = await stopDaemon(dataDir, ({ pid }) => {
    process.stderr.write(`Waiting for the daemon (pid ${pid}) to end its requests and its database.\n`);
  });
  if (args.json) return printJson({ stopped: daemon !== null, pid: daemon?.pid ?? null, dataDir });
  print(
    daemon === null
      ? `No daemon runs on ${dataDir}.`
      : `The daemon (pid ${daemon.pid}) has stopped. Runs in progress go on and are taken up again.`,
  );
}
