// Takes an archive into the store: what comes is read entry by entry, held against what an archive may have, and written anew. Only
// what was written here is ever kept, under its own digest; a crash leaves a file that is no archive by its name. Used by store.ts.
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { EnvironmentFacts, NOT_OF_A_ROOT } from '../../../protocol/environment.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { streamInput, take, type TarInput } from '../tar/input.ts';
import { tarEntries, type TarEntry } from '../tar/read.ts';
import { headerOf, padding, TAR_END } from '../tar/write.ts';

export interface Received {
  /** Where it is now; whoever asked moves it to its place. */
  file: string;
  digest: string;
  /** Of its files, and of the archive. */
  bytes: number;
  archiveBytes: number;
  files: number;
}

/** Begins the name of a file that is not an archive yet. */
export const RECEIVING = '.receiving-';

const LONGEST_FACTS = 1024 * 1024;
const MOST_ENTRIES = 2_000_000;

/** Reads a compressed archive to its end. ERR_ENVIRONMENT says what is not as it should be. */
export async function receiveArchive(
  body: Readable,
  { directory, maxBytes, signal }: { directory: string; maxBytes: number; signal: AbortSignal },
): Promise<Received> {
  const file = join(directory, RECEIVING + randomUUID());
  const hash = createHash('sha256');
  const count = { bytes: 0, files: 0 };
  try {
    await pipeline(
      body,
      createZstdDecompress(),
      async function* (plain: AsyncIterable<Buffer>) {
        yield* written(streamInput(plain), count, maxBytes);
      },
      new Transform({
        transform(piece: Buffer, _encoding, done) {
          hash.update(piece);
          done(null, piece);
        },
      }),
      createZstdCompress(),
      createWriteStream(file, { mode: 0o640 }),
      { signal },
    );
    const handle = await open(file, 'r');
    await handle.sync().finally(async () => await handle.close());
    return { file, digest: hash.digest('hex'), ...count, archiveBytes: (await stat(file)).size };
  } catch (error) {
    await rm(file, { force: true });
    throw told(error);
  }
}

/** The same archive as this program writes it. */
async function* written(
  input: TarInput,
  count: { bytes: number; files: number },
  maxBytes: number,
): AsyncGenerator<Buffer> {
  const kinds = new Map<string, TarEntry['kind']>();
  for await (const entry of tarEntries(input)) {
    if (kinds.size === 0) {
      yield* await factsOf(entry, input);
      kinds.set('environment.json', 'file');
      continue;
    }
    const name = entry.name.replace(/\/$/, '');
    const { kind, mode, mtime, size } = entry;
    const target = kind === 'hard-link' || kind === 'link' ? entry.target : '';
    check({ ...entry, name }, kinds);
    kinds.set(name, kind);
    count.files += 1;
    count.bytes += size;
    if (count.bytes > maxBytes)
      throw wrong(
        `it holds more than ${(maxBytes / 1e9).toFixed(1)} GB`,
        'Leave out what is not needed to build and test, or raise environments.maxBytes in the configuration.',
      );
    if (kinds.size > MOST_ENTRIES) throw wrong(`it has more than ${MOST_ENTRIES} files`);
    if (kind === 'other') throw wrong(`${name} is a device or a pipe`);
    yield headerOf({ name, kind, mode, mtime, size, target });
    let left = size;
    for await (const piece of take(input, size)) {
      left -= piece.length;
      yield piece;
    }
    if (left > 0) throw wrong('it ends in the middle of a file');
    yield padding(size);
  }
  if (!kinds.has('root')) throw wrong('it has no root directory');
  if (
    !['root/bin/sh', 'root/usr/bin/sh'].some((sh) =>
      ['file', 'link', 'hard-link'].includes(kinds.get(sh) ?? ''),
    )
  )
    throw wrong(
      'it has no /bin/sh, which starts every program of a run',
      'Base it on an image with a shell.',
    );
  yield TAR_END;
}

async function factsOf({ name, kind, size }: TarEntry, input: TarInput): Promise<Buffer[]> {
  if (name !== 'environment.json' || kind !== 'file' || size > LONGEST_FACTS)
    throw wrong('it does not begin with environment.json', 'Send what `autocode environment import` makes.');
  const facts = EnvironmentFacts.safeParse(parsed((await input.read(size)).toString()));
  if (!facts.success) throw wrong(`environment.json is not valid: ${facts.error.issues[0]?.message ?? ''}`);
  return factsEntry(facts.data);
}

/** The first entry of an archive. */
export function factsEntry({ variables }: EnvironmentFacts): Buffer[] {
  const sorted = Object.fromEntries(Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1)));
  const bytes = Buffer.from(`${JSON.stringify({ variables: sorted })}\n`);
  const header = { name: 'environment.json', kind: 'file', mode: 0o644, mtime: 0, target: '' } as const;
  return [headerOf({ ...header, size: bytes.length }), bytes, padding(bytes.length)];
}

// Parents come first and are directories, so that no path leads through a link; nothing comes twice.
function check({ name, kind, target }: TarEntry, kinds: Map<string, TarEntry['kind']>): void {
  const parts = name.split('/');
  const shown = JSON.stringify(name);
  if (
    parts[0] !== 'root' ||
    parts.some((part) => part === '' || part === '.' || part === '..') ||
    name.includes('\0')
  )
    throw wrong(`${shown} is not a path below root/`);
  if (kinds.has(name)) throw wrong(`${shown} comes twice`);
  if (parts.length > 1 && kinds.get(parts.slice(0, -1).join('/')) !== 'directory')
    throw wrong(`${shown} is in no directory that came before`);
  if (['root', 'root/etc', 'root/opt', 'root/var'].includes(name) && kind !== 'directory')
    throw wrong(`${shown} is no directory`);
  if (NOT_OF_A_ROOT.includes(parts.slice(1).join('/')))
    throw wrong(`${shown} is not for an environment to bring`);
  if (kind === 'hard-link' && kinds.get(target) !== 'file')
    throw wrong(`${shown} is a hard link to ${JSON.stringify(target)}, which is no file that came before`);
  if (kind === 'link' && (target === '' || target.includes('\0')))
    throw wrong(`${shown} is a link to nothing`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// zlib's own words say little.
function told(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC')
    return new AutocodeError('ERR_DISK_FULL', 'The environment does not fit on the disk.', {
      remedy: 'Free space in the data directory.',
      cause: error,
    });
  if (code?.startsWith('Z') === true)
    return wrong('it is not compressed with zstd, or cut off', undefined, error);
  return error;
}

function wrong(why: string, remedy?: string, cause?: unknown): AutocodeError {
  return new AutocodeError('ERR_ENVIRONMENT', `The archive is refused: ${why}.`, {
    ...(remedy === undefined ? {} : { remedy }),
    ...(cause === undefined ? {} : { cause }),
  });
}
