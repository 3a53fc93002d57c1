// Reads the spool forwards, from where a reader has come to: each line once, whatever dies meanwhile. How far it has come is kept in the
// database, file by file, so that a clock that is set back loses nothing. Used by ../audit/ and ../anomalies/.
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Queryable } from '../../db/connect.ts';
import { hoursIn } from './spool-files.ts';

type Reader = 'elasticsearch' | 'anomalies';

/** Lines that follow one another in a file. */
export interface Piece {
  file: string;
  lines: { text: string; offset: number }[];
  /** Where the reader is with them done. */
  end: number;
}

export interface SpoolReader {
  /** What it has not read yet of the first file that has some, at most so many bytes; null: it has read all. */
  next(bytes: number): Promise<Piece | null>;
  /** Notes that a piece is done with. */
  done(tx: Queryable, piece: Piece): Promise<void>;
  /** After a failure: where it is, the database says. */
  startOver(): void;
  /** How many bytes it has not read. */
  unread(): Promise<number>;
}

const NEWLINE = 10;
const HOUR_MS = 3_600_000;
/** After its hour a file may still get the line of a process that looked at its clock just before, and then stood still. */
const LATE_MS = HOUR_MS;

/** A reader of the files of a directory; one a name at a time. Files of a year are looked at once, and then those alone that may grow. */
export function spoolReader(db: Queryable, name: Reader, directory: string): SpoolReader {
  let positions: Map<string, number> | undefined;
  const finished = new Set<string>();
  const mayHaveMore = () => hoursIn(directory).filter((file) => !finished.has(file) || !isOver(file));
  return {
    async next(bytes) {
      positions ??= await positionsOf(db, name);
      for (const file of mayHaveMore()) {
        finished.delete(file);
        const over = isOver(file); // asked first: what is written later belongs to another hour
        const piece = await pieceOf(directory, file, positions.get(file) ?? 0, bytes);
        if (piece !== null) return piece;
        if (over) finished.add(file);
      }
      return null;
    },
    async done(tx, { file, end }) {
      await tx.query(
        `insert into spool_position values ($1, $2, $3)
         on conflict (reader, file) do update set position = excluded.position`,
        [name, file, end],
      );
      positions?.set(file, end);
    },
    startOver() {
      positions = undefined;
      finished.clear();
    },
    async unread() {
      positions ??= await positionsOf(db, name);
      return (await unreadOf(directory, mayHaveMore(), positions)).reduce((sum, { bytes }) => sum + bytes, 0);
    },
  };
}

/** The files that a reader has not read to their ends. */
export async function unreadFiles(db: Queryable, name: Reader, directory: string): Promise<string[]> {
  const unread = await unreadOf(directory, hoursIn(directory), await positionsOf(db, name));
  return unread.map(({ file }) => file);
}

async function unreadOf(
  directory: string,
  files: string[],
  positions: Map<string, number>,
): Promise<{ file: string; bytes: number }[]> {
  const all = files.map(async (file) => ({
    file,
    bytes: (await sizeOf(join(directory, file))) - (positions.get(file) ?? 0),
  }));
  return (await Promise.all(all)).filter(({ bytes }) => bytes > 0);
}

async function positionsOf(db: Queryable, name: Reader): Promise<Map<string, number>> {
  const { rows } = await db.query<{ file: string; position: number }>(
    'select file, position from spool_position where reader = $1',
    [name],
  );
  return new Map(rows.map(({ file, position }) => [file, position]));
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
  return isOver(file) ? { file, lines: [], end: size } : null;
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

/** Whether nobody writes to a file any more. */
function isOver(file: string): boolean {
  return Date.now() > Date.parse(`${file.slice(0, 13)}:00:00Z`) + HOUR_MS + LATE_MS;
}
