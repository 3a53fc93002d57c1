// Where the daemon is: options, else the environment, else what the daemon of this data directory left in its `run/`.
// Used by client.ts for each request, by up and down.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { clientEnvironment } from '../config/client-environment.ts';
import type { GlobalArgs } from './command.ts';
import { isAlive } from './process.ts';
import { loadSettings } from './settings.ts';

/** An address and what opens it. */
export interface Target {
  url: string;
  token: string | null;
  /** The daemon of this machine's data directory. */
  local: boolean;
}

/** What a running daemon leaves in `run/daemon.json`. */
const DaemonFile = z.object({ pid: z.number().int(), startTime: z.string(), url: z.string() });
export type DaemonFile = z.infer<typeof DaemonFile>;

type LocateArgs = Pick<GlobalArgs, 'url' | 'tokenFile' | 'config' | 'set'>;

/** The daemon to talk to; ERR_DAEMON_NOT_RUNNING if there is none. */
export function locateDaemon(args: LocateArgs): Target {
  const environment = clientEnvironment();
  const url = args.url ?? environment.url;
  const token = args.tokenFile === undefined ? environment.token : readToken(args.tokenFile);
  if (url !== undefined) return { url: checkedUrl(url), token: token ?? null, local: false };
  const { dataDir } = loadSettings(args).config;
  const daemon = runningDaemon(dataDir);
  if (daemon === null) {
    throw new AutocodeError('ERR_DAEMON_NOT_RUNNING', `No daemon runs on ${dataDir}.`, {
      remedy: 'Start it with `autocode up --detach`. For a daemon elsewhere give --url and --token-file, or AUTOCODE_URL and AUTOCODE_TOKEN.',
    });
  }
  return { url: daemon.url, token: token ?? readToken(join(dataDir, 'run/admin-token')), local: true };
}

/** The living daemon of a data directory. */
export function runningDaemon(dataDir: string): DaemonFile | null {
  const path = join(dataDir, 'run/daemon.json');
  if (!existsSync(path)) return null;
  try {
    const daemon = DaemonFile.parse(JSON.parse(readFileSync(path, 'utf8')));
    return isAlive(daemon) ? daemon : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unreadable(path, error);
  }
}

/** The first line of a file that holds a secret. */
export function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): AutocodeError {
  return new AutocodeError('ERR_DATA_DIRECTORY', `${path} cannot be read: ${(error as Error).message}.`, {
    remedy: "Run this as the user who started the daemon, or give --url and --token-file.",
    cause: error,
  });
}

function checkedUrl(url: string): string {
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw new AutocodeError('ERR_INVALID_INPUT', `"${url}" is no http or https address.`, {
    remedy: 'Give the address of the daemon as http://host:port (`autocode status` there shows it).',
  });
}
