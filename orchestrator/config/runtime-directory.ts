// Short private directories for sockets: a socket's path may have 107 bytes, a data directory's may be longer.
// Used by the Postgres supervisor; free for whoever listens on a unix socket.
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, realpathSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';

/** The directory of this user and of `forDirectory` (its real path is the key), made when missing. */
export function runtimeDirectory(forDirectory: string, purpose: string): string {
  const uid = process.getuid?.() ?? 0;
  // As root, a child that runs as another user has to pass through; what is inside is private either way.
  const base = runtimeBase(uid);
  ensureOwn(base, uid, uid === 0 ? 0o711 : 0o700);
  const key = createHash('sha256').update(realpathSync(forDirectory)).digest('hex').slice(0, 12);
  const directory = join(base, `${purpose}-${key}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** Removes a runtime directory that is empty; the user's directory above stays, since another may be entering it. */
export function removeRuntimeDirectory(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Not empty, or gone already.
  }
}

function runtimeBase(uid: number): string {
  const shared = uid === 0 ? '/run' : process.env.XDG_RUNTIME_DIR;
  // XDG_RUNTIME_DIR survives `su` and then names another user's directory; a long one leaves no room.
  if (shared !== undefined && shared.length <= 50 && isOwnDirectory(shared, uid))
    return join(shared, 'autocode');
  return `/tmp/autocode-${uid}`;
}

function isOwnDirectory(path: string, uid: number): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === uid;
}

function ensureOwn(path: string, uid: number, mode: number): void {
  mkdirSync(path, { recursive: true, mode });
  if (!isOwnDirectory(path, uid)) {
    throw new AutocodeError(
      'ERR_DATA_DIRECTORY',
      `${path} does not belong to this user, so sockets in it would not be private.`,
      { remedy: 'Remove it, or set XDG_RUNTIME_DIR to a directory of yours.' },
    );
  }
  chmodSync(path, mode);
}
