// Reads the spool forwards, from where a reader has come to: each line once, whatever dies meanwhile. How far it has come is kept in the
// database, file by file, so that a clock that is set back loses nothing. Used by ../audit/ and ../anomalies/.
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Queryable } from '../../db/connect.ts';
import { hoursIn } from './spool-files.ts';

export type SpoolReader = 'elasticsearch' | 'anomalies';

/** Lines that follow one another in a file. */
export interface Piece {
  file: string;
  lines: { text: string; offset: number }[];
  /** Where the reader is with them done. */
  end: number;
}

const NEWLINE = 10;
const HOUR_MS = 3_600_000;
/** After its hour a file still gets the lines of a process that looked at its clock just before. */
const LATE_MS = 10_000;

/** Where a reader is, by file. */
export async function positionsOf(db: Queryable, reader: SpoolReader): Promise<Map<string, number>> {
  const { rows } = await db.query<{ file: string; position: number }>(
    'select file, position from spool_position where reader = $1',
    [reader],
  );
  return new Map(rows.map(({ file, position }) => [file, position]));
}

/** What a reader has not read yet of the first file that has some, at most so many bytes; null: it has read all. */
export async function nextPiece(
  directory: string,
  positions: Map<string, number>,
  bytes: number,
): Promise<Piece | null> {
  for (const file of hoursIn(directory)) {
    const start = positions.get(file) ?? 0;
    const piece = await pieceOf(directory, file, start, bytes);
    if (piece !== null) return piece;
  }
  return null;
}

/** Notes that a piece is done with. */
export async function donePiece(db: Queryable, reader: SpoolReader, { file, end }: Piece): Promise<void> {
  await db.query(
    `insert into spool_position values ($1, $2, $3)
     on conflict (reader, file) do update set position = greatest(spool_position.position, excluded.position)`,
    [reader, file, end],
  );
}

/** The files that a reader has not read to their ends, and by how many bytes. */
export async function unread(
  directory: string,
  positions: Map<string, number>,
): Promise<{ file: string; bytes: number }[]> {
  const all = hoursIn(directory).map(async (file) => ({
    file,
    bytes: (await sizeOf(join(directory, file))) - (positions.get(file) ?? 0),
  }));
  return (await Promise.all(all)).filter(({ bytes }) => bytes > 0);
}

/** Forgets files that are there no more. */
export async function forgetRemoved(db: Queryable, directory: string): Promise<void> {
  await db.query('delete from spool_position where file <> all($1)', [hoursIn(directory)]);
}

async function pieceOf(directory: string, file: string, start: number, bytes: number): Promise<Piece | null> {
  const path = join(directory, file);
  const size = await sizeOf(path);
  if (size <= start) return null;
  const rest = await readFrom(path, start, Math.min(bytes, size - start));
  const last = rest.lastIndexOf(NEWLINE);
  if (last >= 0) return { file, lines: linesIn(rest.subarray(0, last), start), end: start + last + 1 };
  if (rest.length < size - start) return await pieceOf(directory, file, start, bytes * 2); // one long line
  // The rest of a line that nobody finishes any more is none.
  return Date.now() > endOf(file) + LATE_MS ? { file, lines: [], end: size } : null;
}

function linesIn(block: Buffer, start: number): Piece['lines'] {
  const lines: Piece['lines'] = [];
  for (let at = 0; at <= block.length;) {
    const newline = block.indexOf(NEWLINE, at);
    const end = newline < 0 ? block.length : newline;
    if (end > at) lines.push({ text: block.toString('utf8', at, end), offset: start + at });
    at = end + 1;
  }
  return lines;
}

async function readFrom(path: string, start: number, length: number): Promise<Buffer> {
  const file = await open(path, 'r').catch(() => null); // removed meanwhile
  if (file === null) return Buffer.alloc(0);
  try {
    const block = Buffer.alloc(length);
    const { bytesRead } = await file.read(block, 0, length, start);
    return block.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

/** When the hour of a file is over. */
function endOf(file: string): number {
  return Date.parse(`${file.slice(0, 13)}:00:00Z`) + HOUR_MS;
}
