// Lines of a log by their numbers. How many newlines come before each block is kept in memory for the logs that somebody looks
// at: made once, then grown by what has come; bytes that were acknowledged never change. Used by the API and by log-search.ts.
import { LOG_LINE_BYTES, type LogLine } from '../../protocol/log.ts';
import type { LogStore } from './log-store.ts';

/** Of one entry of the index. */
export const BLOCK_BYTES = 64 * 1024;
const WINDOW_BYTES = 1024 * 1024;
const MOST_INDEXES = 200;
const NEWLINE = 10;

/** A stream and its length: what comes meanwhile is not looked at. */
export interface LogExtent {
  run: string;
  stream: string;
  bytes: number;
}

/** Where the lines of a stream are. */
export interface LineIndex {
  /** Newlines before each block, with one more entry for the end of the last whole one. */
  before: number[];
  /** Bytes that are counted, and the newlines in them. */
  bytes: number;
  newlines: number;
  /** Whether the last of these bytes is a newline. */
  closed: boolean;
}

export interface LogLineReader {
  /** The index of a stream, up to its length at least. */
  index(of: LogExtent): Promise<LineIndex>;
  /** Lines from one on (from 1), or the last ones; how many there are in all. */
  lines(
    of: LogExtent,
    want: { from?: number | undefined; limit: number },
  ): Promise<{ bytes: number; total: number; lines: LogLine[] }>;
}

/** Reads lines of the logs in a store. */
export function logLineReader(logs: Pick<LogStore, 'read'>): LogLineReader {
  const indexes = new Map<string, Promise<LineIndex>>();

  // One grows an index at a time; each takes up where the one before has come to, also when that failed.
  async function index(of: LogExtent): Promise<LineIndex> {
    const key = `${of.run}/${of.stream}`;
    const known = indexes.get(key) ?? Promise.resolve(emptyIndex());
    const grown = known.then(async (at) => (await growIndex(logs, at, of), at));
    indexes.delete(key); // the one that was used last is the last to go
    indexes.set(
      key,
      grown.catch(async () => await known),
    );
    const oldest = indexes.size > MOST_INDEXES ? indexes.keys().next().value : undefined;
    if (oldest !== undefined) indexes.delete(oldest);
    return await grown;
  }

  return {
    index,
    async lines(of, { from, limit }) {
      const at = await index(of);
      const { bytes } = at;
      const total = at.newlines + (at.closed ? 0 : 1);
      const first = from ?? Math.max(1, total - limit + 1, firstOfTail(at, total));
      if (first > total) return { bytes, total, lines: [] };
      const start = await lineStart(logs, at, of, first);
      const window = await bytesOf(logs, of, start, Math.min(bytes, start + WINDOW_BYTES));
      const lines = linesOf(window, { first, start, limit, last: start + window.length === bytes });
      if (lines.length === 0) {
        const end = (await lineStart(logs, at, of, first + 1)) - 1; // longer than the window
        lines.push({ line: first, at: start, bytes: end - start, text: shown(window) });
      }
      return { bytes, total, lines };
    },
  };
}

/** The first line of those that one window holds at the end of the stream. */
function firstOfTail({ before, bytes }: LineIndex, total: number): number {
  const block = Math.ceil((bytes - WINDOW_BYTES) / BLOCK_BYTES);
  return block <= 0 ? 1 : Math.min(total, before[block]! + 2);
}

function emptyIndex(): LineIndex {
  return { before: [0], bytes: 0, newlines: 0, closed: true };
}

async function growIndex(logs: Pick<LogStore, 'read'>, index: LineIndex, of: LogExtent): Promise<void> {
  for await (const piece of logs.read(of.run, of.stream, index.bytes, of.bytes)) {
    for (let at = 0; at < piece.length;) {
      const end = Math.min(piece.length, at + BLOCK_BYTES - (index.bytes % BLOCK_BYTES));
      index.newlines += newlinesIn(piece.subarray(at, end));
      index.bytes += end - at;
      at = end;
      if (index.bytes % BLOCK_BYTES === 0) index.before.push(index.newlines);
    }
    index.closed = piece.at(-1) === NEWLINE;
  }
}

function newlinesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** Where a line begins: the byte after the newline before it. At most one block is read. */
async function lineStart(
  logs: Pick<LogStore, 'read'>,
  index: LineIndex,
  of: LogExtent,
  line: number,
): Promise<number> {
  if (line === 1) return 0;
  if (line > index.newlines + 1) return index.bytes + 1; // after the newline that has not come
  const block = lastBelow(index.before, line - 1);
  const start = block * BLOCK_BYTES;
  const bytes = await bytesOf(logs, of, start, Math.min(index.bytes, start + BLOCK_BYTES));
  let at = -1;
  for (let left = line - 1 - index.before[block]!; left > 0; left--) at = bytes.indexOf(NEWLINE, at + 1);
  return start + at + 1;
}

/** The last of sorted numbers that is below one; the first is. */
function lastBelow(sorted: number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < limit) low = middle;
    else high = middle;
  }
  return low;
}

function linesOf(
  window: Buffer,
  { first, start, limit, last }: { first: number; start: number; limit: number; last: boolean },
): LogLine[] {
  const lines: LogLine[] = [];
  for (let at = 0; at < window.length && lines.length < limit;) {
    const newline = window.indexOf(NEWLINE, at);
    if (newline === -1 && !last) break;
    const end = newline === -1 ? window.length : newline;
    const text = shown(window.subarray(at, end));
    lines.push({ line: first + lines.length, at: start + at, bytes: end - at, text });
    at = end + 1;
  }
  return lines;
}

function shown(bytes: Buffer): string {
  return bytes.toString('utf8', 0, LOG_LINE_BYTES);
}

/** Some bytes of a stream in one piece. */
export async function bytesOf(
  logs: Pick<LogStore, 'read'>,
  { run, stream }: LogExtent,
  from: number,
  to: number,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of logs.read(run, stream, from, to)) pieces.push(piece);
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}
