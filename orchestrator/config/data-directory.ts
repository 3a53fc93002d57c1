// The data directory: what lies where, each directory made when it is first used, with its mode.
// Used by main.ts and the CLI, which hand the paths to whoever needs one.
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';

const PRIVATE = 0o700;
const GROUP = 0o750;

// The layout is the same on a laptop and on the appliance.
const LAYOUT = {
  postgres: PRIVATE,
  elasticsearch: GROUP,
  'vault-data': PRIVATE,
  'model-weights': 0o755,
  'logs/worker': GROUP, // of runs: one file a stream
  'logs/orchestrator': GROUP,
  'logs/traffic': GROUP,
  'logs/prompts': PRIVATE, // sealed; of projects that keep them
  'financial/transactions': GROUP,
  'financial/budgets': GROUP,
  'financial/reports': GROUP,
  'worker-artifacts/projects': GROUP, // mirrors, and the local forge's bare repositories
  'worker-artifacts/generated': GROUP,
  'worker-artifacts/results': GROUP,
  'config/nomad': GROUP,
  'config/vault': PRIVATE,
  'config/agents': GROUP,
  environments: GROUP, // archives of root directories, by digest
  agents: 0o755, // installed agent programs
  worker: GROUP, // the local worker's own state and workspaces
  secrets: PRIVATE,
  tls: PRIVATE, // the authority that workers on other machines trust
  run: PRIVATE, // of the running daemon: its address, the CLI's token
  backups: PRIVATE,
} as const;

export type DirectoryName = keyof typeof LAYOUT;

export interface DataDirectory {
  root: string;
  /** The absolute path of a directory, which exists then. */
  path(name: DirectoryName): string;
}

/** Where a restore works; what it leaves when it is interrupted is not a data directory yet. */
export const RESTORING = '.restoring';

/** Opens the data directory, making it when missing; fails with what to do when it cannot be written. */
export function openDataDirectory(root: string): DataDirectory {
  makeDirectory(root, 0o755);
  if (existsSync(join(root, RESTORING))) {
    throw new AutocodeError('ERR_DATA_DIRECTORY', `A restore into ${root} was interrupted.`, {
      remedy: 'Run `autocode backup restore` again: it begins anew.',
    });
  }
  const probe = join(root, `.probe-${process.pid}`);
  attempt(root, () => {
    accessSync(root, constants.R_OK | constants.W_OK | constants.X_OK);
    writeFileSync(probe, Buffer.alloc(64 * 1024)); // a full disk lets empty files be made
  });
  rmSync(probe, { force: true });
  const made = new Set<string>();
  return {
    root,
    path(name) {
      const path = join(root, name);
      if (!made.has(name)) {
        if (name.includes('/')) makeDirectory(join(path, '..'), GROUP);
        makeDirectory(path, LAYOUT[name]);
        made.add(name);
      }
      return path;
    },
  };
}

/** Where the supervised PostgreSQL keeps its files. */
export function clusterPath(root: string): string {
  return join(root, 'postgres/data');
}

/** Where a directory would be, without making it: for those who only look. */
export function dataPath(root: string, name: DirectoryName): string {
  return join(root, name);
}

function makeDirectory(path: string, mode: number): void {
  attempt(path, () => {
    // The umask may have taken bits away; a directory that was there keeps the mode that its owner gave it.
    if (mkdirSync(path, { recursive: true, mode }) !== undefined) chmodSync(path, mode);
    else if (!statSync(path).isDirectory())
      throw Object.assign(new Error('it is not a directory'), { code: 'ENOTDIR' });
  });
}

function attempt(path: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw dataDirectoryError(path, error);
  }
}

/** Says what a failed write below the data directory means. */
export function dataDirectoryError(path: string, error: unknown): AutocodeError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AutocodeError('ERR_DISK_FULL', `No space is left for ${path}.`, {
      remedy: 'Free some space on that disk and start again; what was accepted is kept.',
      cause: error,
    });
  }
  const reasons: Record<string, string> = {
    EACCES: 'this user may not write there',
    EPERM: 'this user may not write there',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'it, or a part of its path, is not a directory',
    EEXIST: 'it is not a directory',
  };
  return new AutocodeError(
    'ERR_DATA_DIRECTORY',
    `${path} cannot be used: ${reasons[code] ?? (error as Error).message}.`,
    {
      remedy: 'Correct that, or choose another place with `--set dataDir=PATH` or AUTOCODE_DATA_DIR.',
      cause: error,
    },
  );
}
