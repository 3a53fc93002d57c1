// Searches a log for a text, whatever its case: a bounded piece a call, from where the one before ended. Used by the API.
import type { LogMatches } from '../../protocol/log.ts';
import { BLOCK_BYTES, bytesOf, type LineIndex, type LogExtent, type LogLineReader } from './log-lines.ts';
import type { LogStore } from './log-store.ts';

/** Read at once: the lines that begin in so many blocks of the index. */
const GROUP_BLOCKS = 4;
const GROUP_BYTES = GROUP_BLOCKS * BLOCK_BYTES;
/** Looked at in one call. */
const CALL_BYTES = 16 * 1024 * 1024;
/** Of a line that is longer only so much is searched. */
const LINE_BYTES = 1024 * 1024;
const NEWLINE = 10;
const EXCERPT_BEFORE = 80;
const EXCERPT = 300;
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b\n]*(?:\u0007|\u001b\\))/g;

/** Where to look: lines that begin at a byte or after it, in their order; without it from the last one back. None from `before` on. */
export interface LogQuestion {
  text: string;
  from?: number | undefined;
  before?: number | undefined;
  limit: number;
}

type Match = LogMatches['matches'][number];

/** Lines with a text, each once. */
export async function searchLog(
  { logs, lines }: { logs: Pick<LogStore, 'read'>; lines: Pick<LogLineReader, 'index'> },
  of: LogExtent,
  { text, from, before = of.bytes, limit }: LogQuestion,
): Promise<LogMatches> {
  const index = await lines.index(of);
  const extent = { ...of, bytes: Math.min(of.bytes, index.bytes) };
  const end = Math.min(extent.bytes, before);
  const needle = text.toLowerCase();
  const matches: Match[] = [];
  let searched = 0;
  // A line belongs to the block with the newline before it; the first one to the first block.
  const begin = Math.floor(Math.max(0, from === undefined ? end - 2 : from - 1) / GROUP_BYTES);
  const step = from === undefined ? -1 : 1;
  for (let group = begin; group >= 0 && group * GROUP_BYTES < end; group += step) {
    if (searched >= CALL_BYTES) {
      return { matches, next: (step === 1 ? group : group + 1) * GROUP_BYTES + 1, searched };
    }
    const found = await matchesIn({ logs, index }, extent, group, needle);
    searched += Math.min(GROUP_BYTES, extent.bytes - group * GROUP_BYTES);
    for (const match of step === 1 ? found : found.toReversed()) {
      if (match.at >= end || match.at < (from ?? 0)) continue;
      matches.push(match);
      if (matches.length === limit) return { matches, next: match.at + (step === 1 ? 1 : 0), searched };
    }
  }
  return { matches, next: null, searched };
}

/** Matches in the lines that belong to a group of blocks. */
async function matchesIn(
  { logs, index }: { logs: Pick<LogStore, 'read'>; index: LineIndex },
  of: LogExtent,
  group: number,
  needle: string,
): Promise<Match[]> {
  const start = group * GROUP_BYTES;
  const newlines = index.before[group * GROUP_BLOCKS]!;
  const within = Math.min(GROUP_BYTES, of.bytes - start);
  if (group > 0 && newlines === (index.before[(group + 1) * GROUP_BLOCKS] ?? index.newlines)) return [];
  const bytes = await linesFrom(logs, of, start, within);
  const skipped = group === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
  const first = group === 0 ? 1 : newlines + 2;
  return matchesInText(bytes.subarray(skipped), needle).map(({ line, at, text }) => ({
    line: first + line,
    at: start + skipped + at,
    text,
  }));
}

/** The bytes of a group, and on to the end of its last line. */
async function linesFrom(
  logs: Pick<LogStore, 'read'>,
  of: LogExtent,
  start: number,
  within: number,
): Promise<Buffer> {
  const pieces = [await bytesOf(logs, of, start, start + within)];
  let at = start + within;
  const most = Math.min(of.bytes, at + LINE_BYTES);
  while (at < most) {
    const piece = await bytesOf(logs, of, at, Math.min(most, at + BLOCK_BYTES));
    const newline = piece.indexOf(NEWLINE);
    pieces.push(newline === -1 ? piece : piece.subarray(0, newline));
    if (newline !== -1) break;
    at += piece.length;
  }
  return Buffer.concat(pieces);
}

// Lower case may be longer or shorter than what was there, and so is text without escapes; newlines stay, so lines are counted.
function matchesInText(bytes: Buffer, needle: string): Match[] {
  const whole = bytes.toString();
  const plain = whole.includes('\u001b') ? whole.replaceAll(ESCAPES, '') : whole;
  const lower = plain.toLowerCase();
  const matches: Match[] = [];
  const cursor = { line: 0, at: 0, plain: 0, lower: 0 };
  for (let found = lower.indexOf(needle); found !== -1;) {
    for (let newline = lower.indexOf('\n', cursor.lower); newline !== -1 && newline < found;) {
      cursor.line++;
      cursor.lower = newline + 1;
      cursor.at = bytes.indexOf(NEWLINE, cursor.at) + 1;
      cursor.plain = plain.indexOf('\n', cursor.plain) + 1;
      newline = lower.indexOf('\n', cursor.lower);
    }
    const end = plain.indexOf('\n', cursor.plain);
    const line = plain.slice(cursor.plain, end === -1 ? undefined : end);
    const from = Math.max(0, found - cursor.lower - EXCERPT_BEFORE);
    matches.push({ line: cursor.line, at: cursor.at, text: line.slice(from, from + EXCERPT).toWellFormed() });
    const next = lower.indexOf('\n', found);
    found = next === -1 ? -1 : lower.indexOf(needle, next + 1);
  }
  return matches;
}
