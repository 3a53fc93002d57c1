// Takes keys and passwords out of a prompt or an answer, wherever in its JSON they stand. Used by sealing-thread.ts.
import { findSecrets } from '../repos/checks/find-secrets.ts';
import { valueFinder, type LiveValue } from '../secrets/live-values.ts';

/** Tokens of this product, which no rule of others knows. */
const OWN_TOKEN = /\bac_[a-z]+_[\w-]{20,}/g;

/** The same value without its secrets, those that are kept (`live`) and those that look like some; `redacted` tells how many were found. */
export async function redact<T>(
  value: T,
  live: readonly LiveValue[] = [],
): Promise<{ value: T; redacted: number }> {
  const texts: string[] = [];
  mapTexts(value, (text) => (texts.push(text), text));
  const all = texts.join('\n');
  const kinds = new Map([...all.matchAll(OWN_TOKEN)].map(([token]) => [token, 'autocode: token']));
  for (const { kind, start, end } of await findSecrets('prompt.txt', all))
    kinds.set(all.slice(start, end), kind);
  for (const [secret, name] of valueFinder(live)(all)) kinds.set(secret, `secret: ${name}`);
  const found = [...kinds]
    .flatMap(([secret, kind]) => placesOf(all, secret, kind))
    .sort((a, b) => a.start - b.start);
  if (found.length === 0) return { value, redacted: 0 };
  let offset = 0;
  const clean = mapTexts(value, (text) => {
    const begin = offset;
    offset += text.length + 1;
    return without(text, found, begin);
  });
  return { value: clean as T, redacted: found.length };
}

interface Range {
  kind: string;
  start: number;
  end: number;
}

/** Wherever a secret stands: once it was shown as one, it may be repeated without what gave it away. */
function placesOf(text: string, secret: string, kind: string): Range[] {
  const places: Range[] = [];
  for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + secret.length))
    places.push({ kind, start: at, end: at + secret.length });
  return places;
}

// Ranges are sorted; of those that overlap the first one is named.
function without(text: string, found: Range[], begin: number): string {
  let clean = '';
  let from = 0;
  for (const { kind, start, end } of found) {
    const [first, last] = [Math.max(start - begin, from), Math.min(end - begin, text.length)];
    if (first >= last) continue;
    clean += `${text.slice(from, first)}[redacted ${kind}]`;
    from = last;
  }
  return from === 0 ? text : clean + text.slice(from);
}

/** Each text of a JSON value through a function; JSON inside a text, as the arguments of tool calls are, is gone into. */
function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') {
    const inner = /^\s*[[{]/.test(value) ? parsed(value) : undefined;
    if (inner === undefined) return change(value);
    const before = JSON.stringify(inner);
    const after = JSON.stringify(mapTexts(inner, change));
    return after === before ? value : after;
  }
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [change(key), mapTexts(each, change)]),
  );
}

function parsed(text: string): object | undefined {
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}
