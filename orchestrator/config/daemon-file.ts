// Where the running daemon of a data directory is: run/daemon.json, and the CLI's token beside it, both for their owner alone.
// Written by main.ts; read by the CLI.
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { dataPath } from './data-directory.ts';
import type { DataDirectory } from './data-directory.ts';

const DaemonFile = z.object({
  url: z.string(), // of the API
  gatewayUrl: z.string().nullable(),
  pid: z.int(),
  startedAt: z.string(),
  startTime: z.string(), // the process's, in clock ticks since boot: tells a pid that was given to another
});
export type DaemonFile = z.infer<typeof DaemonFile>;

/** Announces this process as the daemon of the directory. */
export async function writeDaemonFile(
  directory: DataDirectory,
  addresses: Pick<DaemonFile, 'url' | 'gatewayUrl'>,
): Promise<void> {
  const content: DaemonFile = {
    ...addresses,
    pid: process.pid,
    startedAt: new Date().toISOString(),
    startTime: processStartTime(process.pid) ?? '',
  };
  await writeFileAtomic(join(directory.path('run'), 'daemon.json'), `${JSON.stringify(content, null, 2)}\n`);
}

/** Takes the announcement back, at a clean stop. */
export async function removeDaemonFile(directory: DataDirectory): Promise<void> {
  await rm(join(directory.path('run'), 'daemon.json'), { force: true });
}

/** The daemon that runs on a data directory; undefined when none does (what a killed one left does not count). */
export function readDaemonFile(root: string): DaemonFile | undefined {
  const text = readOwn(join(dataPath(root, 'run'), 'daemon.json'));
  const parsed = DaemonFile.safeParse(text === undefined ? undefined : parseJson(text));
  if (!parsed.success) return undefined;
  return processStartTime(parsed.data.pid) === parsed.data.startTime ? parsed.data : undefined;
}

/** Keeps the CLI's token, for the owner of the directory alone. */
export async function writeAdminToken(directory: DataDirectory, token: string): Promise<void> {
  await writeFileAtomic(adminTokenFile(directory.root), `${token}\n`);
}

/** The CLI's token; undefined before the daemon's first start. */
export function readAdminToken(root: string): string | undefined {
  return readOwn(adminTokenFile(root))?.trim();
}

/** Where the CLI's token is. */
export function adminTokenFile(root: string): string {
  return join(dataPath(root, 'run'), 'admin-token');
}

/** When a process started; undefined when there is none. */
export function processStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return afterName[0] === 'Z' ? undefined : afterName[19];
  } catch {
    return undefined;
  }
}

function readOwn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new AutocodeError('ERR_FORBIDDEN', `${path} cannot be read: ${(error as Error).message}.`, {
      remedy: 'Run the command as the user that runs the daemon, or pass --url and a token of your own.',
      cause: error,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
