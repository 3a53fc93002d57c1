// What sums need of the records in the spool, taken out of their lines without reading these whole: a question about a million of them
// is answered in seconds. Lines are compact JSON without objects inside (proxy-addon/spool.py), so that the first `"name":` is that of
// the field: within a text each quotation mark has a backslash before it. Used by search.ts and timeline.ts.
import type { TrafficRecord } from '../../../protocol/traffic.ts';
import { fits, type TrafficQuery } from './query.ts';
import { blocksOf } from './spool-files.ts';

const TEXTS = ['run', 'project', 'worker', 'host', 'method', 'url'] as const;

/** The fields that are summed, summed by, or filtered by; texts that nobody asks for are null. */
export type Glance = Pick<
  TrafficRecord,
  'id' | 'at' | 'decision' | 'bytesOut' | 'bytesIn' | (typeof TEXTS)[number]
>;

/** Most that is read for one question. */
const MOST_BYTES = 2 * 1024 ** 3;
const DECISIONS = new Set<string>(['allowed', 'denied', 'refused']);
const BACKSLASH = 92;
const QUOTE = 34;

/** All that fit, the last first, some at a time; of a request there is one. `by`: what is summed by. */
export async function* glancesOf(
  spool: string,
  query: TrafficQuery,
  by: string,
  progress: { complete: boolean },
): AsyncGenerator<Glance[]> {
  const ended = new Set<string>();
  const asked = new Set<string>(Object.keys(query).filter((key) => query[key as 'run'] !== undefined));
  const texts = TEXTS.filter((each) => each === by || asked.has(each === 'url' ? 'text' : each));
  let read = 0;
  for await (const block of blocksOf(spool, query.since)) {
    if ((read += block.length) > MOST_BYTES) {
      progress.complete = false;
      return;
    }
    const found: Glance[] = [];
    for (const line of linesOf(block)) {
      const record = glance(line, texts, ended);
      if (record !== null && fits(record, query)) found.push(record);
    }
    yield found;
  }
}

/** A line as its bytes, each a letter; what is taken out comes from the block, of which a text would keep all in memory. */
interface Line {
  letters: string;
  block: Buffer;
  start: number;
}

function linesOf(block: Buffer): Line[] {
  const lines: Line[] = [];
  const letters = block.toString('latin1');
  for (let start = 0; start < letters.length;) {
    const newline = letters.indexOf('\n', start);
    const end = newline < 0 ? letters.length : newline;
    lines.push({ letters: letters.slice(start, end), block, start });
    start = end + 1;
  }
  return lines.reverse();
}

function glance(line: Line, texts: readonly (typeof TEXTS)[number][], ended: Set<string>): Glance | null {
  const { letters } = line;
  if (!letters.startsWith('{') || !letters.endsWith('}')) return null; // cut off by a crash
  const id = textIn(line, '"id":');
  if (id === null) return null;
  if (!letters.includes('"event":"close"')) {
    if (ended.delete(id)) return null; // it begins what has ended
  } else if (ended.has(id)) return null;
  else ended.add(id);
  const at = textIn(line, '"at":');
  const decision = textIn(line, '"decision":');
  if (at === null || decision === null || !DECISIONS.has(decision)) return null;
  const glanced: Glance = {
    id,
    at,
    decision: decision as TrafficRecord['decision'],
    bytesOut: numberIn(letters, '"bytesOut":'),
    bytesIn: numberIn(letters, '"bytesIn":'),
    run: null,
    project: null,
    worker: null,
    host: null,
    method: null,
    url: null,
  };
  for (const each of texts) glanced[each] = textIn(line, `"${each}":`);
  return glanced;
}

function textIn({ letters, block, start }: Line, name: string): string | null {
  const key = letters.indexOf(name);
  if (key < 0 || letters.charCodeAt(key + name.length) !== QUOTE) return null;
  const first = key + name.length + 1;
  let end = letters.indexOf('"', first);
  while (end > 0 && isEscaped(letters, end)) end = letters.indexOf('"', end + 1);
  if (end < 0) return null;
  const text = block.toString('utf8', start + first, start + end);
  return text.includes('\\') ? read(text) : text;
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(letters: string, at: number): boolean {
  let first = at;
  while (letters.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}

function read(text: string): string | null {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return null;
  }
}

function numberIn(letters: string, name: string): number | null {
  const key = letters.indexOf(name);
  if (key < 0) return null;
  const value = Number.parseFloat(letters.slice(key + name.length, key + name.length + 24));
  return Number.isNaN(value) ? null : value;
}
