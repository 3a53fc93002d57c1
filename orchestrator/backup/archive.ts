// The archive of a backup: a compressed tar file of manifest.json, database.dump and files/. Written whole or not at
// all; opened only if every sum is right. Used by create.ts and restore.ts.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { syncDirectory } from '../config/atomic-file.ts';
import { dataDirectoryError } from '../config/data-directory.ts';
import { sumFiles } from './copy-files.ts';

export const DUMP = 'database.dump';
export const FILES = 'files';
const MANIFEST = 'manifest.json';
const FORMAT = 1;

export const Manifest = z.object({
  format: z.literal(FORMAT),
  createdAt: z.iso.datetime(),
  dataDir: z.string().describe('Where the data directory was: paths below it are moved by a restore.'),
  schema: z.string().describe('The newest migration of the database.'),
  files: z.array(z.object({ path: z.string(), bytes: z.int(), sha256: z.string() })),
});
export type Manifest = z.infer<typeof Manifest>;

/** Packs what lies in a directory, together with its manifest. */
export async function packArchive(
  directory: string,
  about: Pick<Manifest, 'dataDir' | 'schema'>,
  file: string,
): Promise<Manifest> {
  const files = await sumFiles(directory);
  const manifest: Manifest = { format: FORMAT, createdAt: new Date().toISOString(), ...about, files };
  const unfinished = `${file}.new`;
  try {
    const handle = await open(unfinished, 'w', 0o600); // it holds the key of the secrets
    await handle.writeFile('');
    await handle.close();
    const manifestFile = await open(join(directory, MANIFEST), 'w', 0o600);
    await manifestFile.writeFile(JSON.stringify(manifest));
    await manifestFile.close();
    await tar(['--create', '--gzip', '--file', unfinished, '--directory', directory, MANIFEST, DUMP, FILES]);
    const written = await open(unfinished, 'r');
    await written.sync();
    await written.close();
    await rename(unfinished, file);
    await syncDirectory(dirname(file));
    return manifest;
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error instanceof AutocodeError ? error : dataDirectoryError(file, error);
  }
}

/** Unpacks into an empty directory and checks every file against the manifest. */
export async function unpackArchive(file: string, directory: string): Promise<Manifest> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await tar(['--extract', '--gzip', '--file', resolve(file), '--directory', directory, '--no-same-owner']);
  const manifest = await readManifest(file, directory);
  await rm(join(directory, MANIFEST));
  const found = new Map((await sumFiles(directory)).map((entry) => [entry.path, entry.sha256]));
  const wrong = manifest.files
    .filter((entry) => found.get(entry.path) !== entry.sha256)
    .map((entry) => entry.path);
  const listed = new Set(manifest.files.map((entry) => entry.path));
  const extra = [...found.keys()].filter((path) => !listed.has(path));
  if (wrong.length + extra.length > 0) {
    const names = [...wrong, ...extra].slice(0, 5).join(', ');
    throw damaged(
      file,
      `${wrong.length + extra.length} of its files are not as they were written (${names})`,
    );
  }
  return manifest;
}

/** Checks an archive without keeping what is in it. */
export async function verifyBackup(file: string): Promise<Manifest> {
  const directory = await mkdtemp(join(dirname(resolve(file)), '.verify-')).catch((error: unknown) => {
    throw dataDirectoryError(dirname(resolve(file)), error);
  });
  try {
    return await unpackArchive(file, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function readManifest(file: string, directory: string): Promise<Manifest> {
  try {
    return Manifest.parse(JSON.parse(await readFile(join(directory, MANIFEST), 'utf8')));
  } catch (error) {
    throw damaged(file, 'it has no manifest of a kind that this version knows', error);
  }
}

async function tar(args: string[]): Promise<void> {
  try {
    await promisify(execFile)('tar', args, {
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n')[0] ?? (error as Error).message;
    const [full, missing] = [/No space left/.test(said), /No such file/.test(said)];
    if (full) throw dataDirectoryError('the archive', Object.assign(new Error(said), { code: 'ENOSPC' }));
    throw new AutocodeError(
      'ERR_BACKUP',
      `The archive cannot be ${args[0] === '--create' ? 'written' : 'read'}: ${said}.`,
      {
        remedy: missing
          ? 'Correct the path of the archive.'
          : 'Use another backup; this one is incomplete or no backup at all.',
        cause: error,
      },
    );
  }
}

function damaged(file: string, how: string, cause?: unknown): AutocodeError {
  return new AutocodeError('ERR_BACKUP', `${file} is damaged: ${how}.`, {
    remedy: 'Use another backup.',
    cause,
  });
}
