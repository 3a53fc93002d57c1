// Stops the daemon and waits until it is gone. Used by `down` and the demo.
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../../protocol/errors.ts';
import { processStartTime, readDaemonFile, type DaemonFile } from '../../config/daemon-file.ts';

const PATIENCE_MS = 60_000;
const POLL_MS = 25;

/** Stops the daemon of a data directory; null if none runs. `waiting` is told after a second what is waited for. */
export async function stopDaemon(
  dataDir: string,
  waiting: (daemon: DaemonFile) => void = () => {},
): Promise<DaemonFile | null> {
  const daemon = readDaemonFile(dataDir);
  if (daemon === undefined) return null;
  terminate(daemon);
  const begun = Date.now();
  let told = false;
  while (processStartTime(daemon.pid) === daemon.startTime) {
    const waited = Date.now() - begun;
    if (waited > 1_000 && !told) {
      told = true;
      waiting(daemon);
    }
    if (waited > PATIENCE_MS) {
      throw new AutocodeError(
        'ERR_STATE',
        `The daemon (pid ${daemon.pid}) is still stopping after ${PATIENCE_MS / 1000} s.`,
        {
          remedy: `Look into its log. \`kill -9 ${daemon.pid}\` loses nothing that was accepted: the next start repairs the rest.`,
        },
      );
    }
    await delay(POLL_MS);
  }
  return daemon;
}

function terminate(daemon: DaemonFile): void {
  try {
    process.kill(daemon.pid, 'SIGTERM');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ESRCH') return; // ended by itself just now
    throw new AutocodeError('ERR_FORBIDDEN', `The daemon (pid ${daemon.pid}) belongs to another user.`, {
      remedy: 'Stop it as the user who started it, or as root.',
      cause: error,
    });
  }
}
