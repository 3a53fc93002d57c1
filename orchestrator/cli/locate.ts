// Where the daemon is: options, else the environment, else what the daemon of this data directory left in its `run/`.
// Used by client.ts for each request.
import { readFileSync } from 'node:fs';
import { AutocodeError } from '../../protocol/errors.ts';
import { clientEnvironment } from '../config/client-environment.ts';
import { readAdminToken, readDaemonFile } from '../config/daemon-file.ts';
import type { GlobalArgs } from './command.ts';
import { loadSettings } from './settings.ts';

/** An address and what opens it. */
export interface Target {
  url: string;
  token: string | null;
  /** Certificate of the authority that it trusts there, over https. */
  caFile?: string | undefined;
  /** The daemon of this machine's data directory. */
  local: boolean;
}

type LocateArgs = Pick<GlobalArgs, 'url' | 'tokenFile' | 'caFile' | 'config' | 'set'>;

/** The daemon to talk to; ERR_DAEMON_NOT_RUNNING if there is none. */
export function locateDaemon(args: LocateArgs): Target {
  const environment = clientEnvironment();
  const url = args.url ?? environment.url;
  const token = args.tokenFile === undefined ? environment.token : readToken(args.tokenFile);
  const caFile = args.caFile ?? environment.caFile;
  if (url !== undefined) return { url: checkedUrl(url), token: token ?? null, caFile, local: false };
  const { dataDir } = loadSettings(args).config;
  const daemon = readDaemonFile(dataDir);
  if (daemon === undefined) {
    throw new AutocodeError('ERR_DAEMON_NOT_RUNNING', `No daemon runs on ${dataDir}.`, {
      remedy:
        'Start it with `autocode up --detach`. For a daemon elsewhere give --url and --token-file, or AUTOCODE_URL and AUTOCODE_TOKEN.',
    });
  }
  return { url: daemon.url, token: token ?? readAdminToken(dataDir) ?? null, local: true };
}

/** The token in a file. */
function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new AutocodeError('ERR_INVALID_INPUT', `${path} cannot be read: ${(error as Error).message}.`, {
      remedy: 'Give the path of a file that holds the token.',
      cause: error,
    });
  }
}

function checkedUrl(url: string): string {
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw new AutocodeError('ERR_INVALID_INPUT', `"${url}" is no http or https address.`, {
    remedy: 'Give the address of the daemon as http://host:port (`autocode status` there shows it).',
  });
}
