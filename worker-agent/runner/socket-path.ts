// Where a run's socket lies: in the run's directory when its path fits into 107 bytes, else in a short private directory.
// Used by the runner for the relay.
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';

const LONGEST = 107;

/** The path for a socket of that name. `base` is used, and made, only when the run's directory lies too deep. */
export function socketPath(runDirectory: string, name: string, base: string): string {
  const near = path.join(runDirectory, name);
  if (Buffer.byteLength(near) <= LONGEST) return near;
  mkdirSync(base, { recursive: true, mode: 0o700 });
  const stat = lstatSync(base);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
    throw new AutocodeError(
      'ERR_DATA_DIRECTORY',
      `${base} does not belong to this user, so a socket in it would not be private.`,
      {
        remedy: 'Remove it, or set XDG_RUNTIME_DIR to a directory of yours.',
      },
    );
  }
  if ((stat.mode & 0o066) !== 0) chmodSync(base, 0o711); // passable is enough; sockets have modes of their own
  const key = createHash('sha256').update(runDirectory).digest('hex').slice(0, 16);
  return path.join(base, `${key}-${name}`);
}
