// A database for a command that works without the daemon: the running server, or one that is started for the time.
// Used by backups and by the CLI's doctor.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processStartTime } from '../config/daemon-file.ts';
import { socketUrl, startPostgres } from './supervisor.ts';
import type { PostgresOptions } from './supervisor.ts';

/** Calls `work` with the address of the database; stops what it had to start. */
export async function withPostgres<T>(
  options: PostgresOptions,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const running = options.url ?? runningPostgresUrl(options.cluster);
  if (running !== undefined) return await work(running);
  const postgres = await startPostgres(options);
  try {
    return await work(postgres.url);
  } finally {
    await postgres.stop();
  }
}

// The server itself notes its process and its socket's directory: right whatever the environment it was started in.
function runningPostgresUrl(cluster: string): string | undefined {
  try {
    const [pid, , , , socket] = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
    const alive = processStartTime(Number(pid)) !== undefined;
    return alive && socket ? socketUrl(socket) : undefined;
  } catch {
    return undefined; // none runs, or none that this user may see
  }
}
