// Where a tar is read from: a stream, front to back, or a part of a file, by leaps. Used by read.ts and whoever reads the files in one.
import type { FileHandle } from 'node:fs/promises';

export interface TarInput {
  /** Bytes from its beginning up to where it is read next. */
  readonly position: number;
  /** As many bytes, fewer at the end. */
  read(bytes: number): Promise<Buffer>;
  skip(bytes: number): Promise<void>;
}

/** A part of a file. */
export interface Part {
  file: FileHandle;
  start: number;
  size: number;
}

const PIECE = 256 * 1024;

/** A stream; what is skipped is read. */
export function streamInput(source: AsyncIterable<Uint8Array>): TarInput {
  const pieces = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  let position = 0;

  async function read(bytes: number): Promise<Buffer> {
    const taken: Buffer[] = [];
    for (let missing = bytes; missing > 0;) {
      if (rest.length === 0) {
        const { value, done } = await pieces.next();
        if (done === true) break;
        rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
        continue;
      }
      const piece = rest.subarray(0, missing);
      rest = rest.subarray(piece.length);
      missing -= piece.length;
      taken.push(piece);
    }
    const all = taken.length === 1 ? taken[0]! : Buffer.concat(taken);
    position += all.length;
    return all;
  }

  return {
    get position() {
      return position;
    },
    read,
    async skip(bytes) {
      for (let left = bytes; left > 0;) {
        const { length } = await read(Math.min(left, PIECE));
        if (length === 0) return;
        left -= length;
      }
    },
  };
}

/** A part of a file; what is skipped is not read. */
export function partInput({ file, start, size }: Part): TarInput {
  let position = 0;
  return {
    get position() {
      return position;
    },
    async read(bytes) {
      const wanted = Math.max(0, Math.min(bytes, size - position));
      const { bytesRead, buffer } = await file.read(Buffer.alloc(wanted), 0, wanted, start + position);
      position += bytesRead;
      return buffer.subarray(0, bytesRead);
    },
    async skip(bytes) {
      position += bytes;
    },
  };
}

/** The bytes of a part, piece by piece. */
export async function* bytesOf(part: Part): AsyncGenerator<Buffer> {
  yield* take(partInput(part), part.size);
}

/** So many bytes of an input, piece by piece; fewer where it ends before. */
export async function* take(input: TarInput, bytes: number): AsyncGenerator<Buffer> {
  for (let left = bytes; left > 0;) {
    const piece = await input.read(Math.min(left, PIECE));
    if (piece.length === 0) return;
    left -= piece.length;
    yield piece;
  }
}
