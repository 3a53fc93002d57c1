// A place for what is decompressed on the way: one file without a name, which is gone with the process, however it ends. Used by the
// sources of an import.
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { AutocodeError } from '../../../protocol/errors.ts';
import { bytesOf, type Part } from '../tar/input.ts';

export interface Scratch {
  /** The bytes of a part, decompressed if they are compressed. */
  plain(part: Part): Promise<Part>;
  close(): Promise<void>;
}

const MAGIC = {
  gzip: Buffer.from([0x1f, 0x8b]),
  zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
  bzip2: Buffer.from('BZh'),
  xz: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]),
};

/** Makes one in the directory for temporary files. */
export async function openScratch(): Promise<Scratch> {
  const directory = await mkdtemp(join(tmpdir(), 'autocode-import-'));
  const file = await open(join(directory, 'scratch'), 'w+', 0o600);
  await rm(directory, { recursive: true });
  let end = 0;
  const keep = async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) {
      await writeAll(file, piece, end);
      end += piece.length;
    }
  };
  return {
    async plain(part) {
      const format = await formatOf(part);
      if (format === undefined) return part;
      if (format !== 'gzip' && format !== 'zstd')
        throw new AutocodeError(
          'ERR_ENVIRONMENT',
          `The archive is compressed with ${format}, which is not read.`,
          {
            remedy: 'Decompress it first; gzip and zstd are read as they are.',
          },
        );
      const start = end;
      const decompress = format === 'gzip' ? createGunzip() : createZstdDecompress();
      await pipeline(bytesOf(part), decompress, keep).catch(told);
      return { file, start, size: end - start };
    },
    close: async () => await file.close(),
  };
}

async function writeAll(file: FileHandle, piece: Buffer, at: number): Promise<void> {
  for (let done = 0; done < piece.length;)
    done += (await file.write(piece, done, piece.length - done, at + done)).bytesWritten;
}

async function formatOf({ file, start, size }: Part): Promise<keyof typeof MAGIC | undefined> {
  const { buffer } = await file.read(Buffer.alloc(Math.min(8, size)), 0, Math.min(8, size), start);
  const known = Object.entries(MAGIC).find(([, magic]) => buffer.subarray(0, magic.length).equals(magic));
  return known?.[0] as keyof typeof MAGIC | undefined;
}

function told(cause: NodeJS.ErrnoException): never {
  if (cause.code === 'ENOSPC')
    throw new AutocodeError('ERR_DISK_FULL', `There is no room in ${tmpdir()} to decompress the archive.`, {
      remedy: 'Name a larger place by TMPDIR.',
      cause,
    });
  if (!/^Z(STD)?_/.test(cause.code ?? '')) throw cause;
  throw new AutocodeError('ERR_ENVIRONMENT', `The archive is damaged: ${cause.message}.`, { cause });
}

/** A file of the machine, as it is when it is read. */
export async function* bytesOfFile(file: string): AsyncGenerator<Buffer> {
  yield* createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>;
}
