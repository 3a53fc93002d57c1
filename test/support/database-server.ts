// The one PostgreSQL server of a test run: started by the first test that needs it, as a process of its own;
// it ends, and takes its files along, when the process that it was told to watch is gone.
// usage: node database-server.ts DIRECTORY PID STARTED
import { existsSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processStartTime } from '../../orchestrator/config/daemon-file.ts';
import { lockDirectory } from '../../orchestrator/config/directory-lock.ts';
import { connect } from '../../orchestrator/db/connect.ts';
import { migrate } from '../../orchestrator/db/migrate.ts';
import { startPostgres } from '../../orchestrator/db/supervisor.ts';

export const TEMPLATE = 'migrated';
/** Files of databases at once, many times over. */
const ROOM_BYTES = 2 ** 31;
const MEMORY = '/dev/shm';

/** Where the server tells its address, or why it did not start. */
export function answerFile(directory: string): string {
  return join(directory, 'answer.json');
}

function answer(directory: string, content: { url: string } | { error: string }): void {
  const path = answerFile(directory);
  writeFileSync(`${path}.new`, JSON.stringify(content));
  renameSync(`${path}.new`, path);
}

async function serve(directory: string, pid: number, started: string): Promise<void> {
  const lock = await lockDirectory(directory, 'test-server').catch(() => undefined);
  if (lock === undefined) return; // another test was first
  const ended = async () => {
    while (processStartTime(pid) === started) await delay(100);
  };
  const files = filesOf(directory);
  try {
    const postgres = await startPostgres({ cluster: join(files, 'postgres'), durable: false });
    try {
      const admin = connect({ url: postgres.url, poolSize: 1 });
      await admin.query(`create database ${TEMPLATE}`);
      await admin.end();
      const template = connect({ url: databaseUrl(postgres.url, TEMPLATE), poolSize: 1 });
      await migrate(template);
      await template.end();
      answer(directory, { url: postgres.url });
      await ended();
    } finally {
      await postgres.stop();
    }
  } catch (error) {
    answer(directory, { error: (error as Error).stack ?? String(error) });
    await ended();
  } finally {
    rmSync(files, { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
    await lock.release();
  }
}

// In memory where there is room: a database is a thousand files, and ext4 without a journal searches long for the
// inode of a new one while thousands were freed within the last minute.
function filesOf(directory: string): string {
  if (!existsSync(MEMORY)) return directory;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize < ROOM_BYTES ? directory : join(MEMORY, basename(directory));
}

/** The same server's URL for another of its databases. */
export function databaseUrl(url: string, name: string): string {
  return url.replace(/@\/[^?]*/, `@/${name}`);
}

const [directory, pid, started] = process.argv.slice(2);
if (import.meta.main && directory !== undefined && started !== undefined)
  await serve(directory, Number(pid), started);
