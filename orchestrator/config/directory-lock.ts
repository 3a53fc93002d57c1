// One owner per directory: a lock that the kernel drops with the process that holds it, however it ends.
// Used by the daemon for its data directory and by the Postgres supervisor for its cluster.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { AutocodeError } from '../../protocol/errors.ts';

export interface DirectoryLock {
  release(): Promise<void>;
}

/** Takes the lock named `purpose` of a directory, or fails at once with ERR_DAEMON_RUNNING. */
export async function lockDirectory(directory: string, purpose: string): Promise<DirectoryLock> {
  const path = realpathSync(directory);
  const key = createHash('sha256').update(path).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  server.unref();
  server.listen({ path: `\0autocode:${purpose}:${key}` });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new AutocodeError('ERR_DAEMON_RUNNING', `${path} is in use by another process (${purpose}).`, {
      remedy: 'Stop that one with `autocode down`, or choose another dataDir.',
      cause: error,
    });
  }
  return {
    async release() {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
