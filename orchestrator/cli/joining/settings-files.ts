// The files that make a machine a worker, in /etc/autocode: its own key, the authority, the token, the settings.
// Used by join.ts. Each is written whole or not at all, and readable by the group of the directory, which is the worker's.
import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { AutocodeError } from '../../../protocol/errors.ts';
import { writeFileAtomic } from '../../config/atomic-file.ts';

/** As scripts/install.sh puts them there. */
const SHIPPED = join(import.meta.dirname, '../../../systemd');
const MODE = 0o640;

export interface Joined {
  url: string;
  worker: string;
  token: string;
  authority: string;
}

/** Makes the directory when it is missing; ERR_CONFIG when this user may not write there. */
export function openSettings(directory: string): void {
  try {
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o750, recursive: true });
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new AutocodeError('ERR_CONFIG', `${directory} cannot be written: ${(cause as Error).message}.`, {
      remedy:
        'Call it as root (sudo), or name another directory with --config-dir. Nothing was asked for yet.',
      cause,
    });
  }
}

/** The key that only this machine has; made before the first exchange, and kept, so that this one can be repeated. */
export async function machineKey(directory: string): Promise<string> {
  const file = join(directory, 'machine-key');
  if (!existsSync(file)) await put(directory, 'machine-key', `${randomBytes(32).toString('base64url')}\n`);
  return readFileSync(file, 'utf8').trim();
}

/** Writes what a worker starts with, the address last: without it none starts. */
export async function writeSettings(
  directory: string,
  { url, worker, token, authority }: Joined,
): Promise<string[]> {
  const caFile = join(directory, 'ca.crt');
  const tokenFile = join(directory, 'worker-token');
  const settings = parseDocument(current(directory, 'worker.yaml'));
  for (const [key, value] of Object.entries({ url, name: worker, tokenFile, caFile }))
    settings.set(key, value);
  await put(directory, 'ca.crt', authority);
  await put(directory, 'worker-token', `${token}\n`);
  await put(directory, 'worker.yaml', String(settings));
  await put(directory, 'worker.env', withUrl(current(directory, 'worker.env'), url));
  return ['ca.crt', 'worker-token', 'worker.yaml', 'worker.env'].map((name) => join(directory, name));
}

function current(directory: string, name: string): string {
  const own = join(directory, name);
  return readFileSync(existsSync(own) ? own : join(SHIPPED, name), 'utf8');
}

function withUrl(text: string, url: string): string {
  const line = `AUTOCODE_URL=${url}`;
  return /^AUTOCODE_URL=.*$/m.test(text)
    ? text.replace(/^AUTOCODE_URL=.*$/m, () => line)
    : `${text.replace(/\n?$/, '\n')}${line}\n`;
}

async function put(directory: string, name: string, content: string): Promise<void> {
  const file = join(directory, name);
  try {
    await writeFileAtomic(file, content, MODE);
    const { gid } = statSync(directory);
    if (statSync(file).gid !== gid) await chown(file, -1, gid);
  } catch (cause) {
    throw new AutocodeError('ERR_CONFIG', `${file} cannot be written: ${(cause as Error).message}`, {
      remedy: 'Mend that and give the same command again: as long as the invitation lasts it goes on.',
      cause,
    });
  }
}
