// Where a text holds tokens and keys by their shape: secretlint's rules, asked only near what a token cannot be without, and
// tokens of this product. As fast as a search for some words, and bounded: fit for the threads of the daemon. Used by redactor.ts.
import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import { ANCHORS, KEY, type Anchor } from './anchors.ts';
import type { Place } from './find-values.ts';

/** Tokens of this product, which no rule of others knows. */
const OWN_TOKEN = /\bac_[a-z]+_[\w-]{20,}/g;
const PREFIX = '@secretlint/secretlint-rule-';
/** How far before and behind its anchor a token may reach. */
const BEFORE = 300;
export const SHAPE_REACH = 12_500;
/** Some rules look only into files of these names. */
const FILES = ['', '.npmrc'];

type Found = Place & { data?: object | undefined };

const search = new Map(ANCHORS.map(({ rule }) => [rule, rule === 'autocode' ? ownTokens : ruleOf(rule)]));
const anchorsAt = Map.groupBy(
  ANCHORS.flatMap((anchor) => anchor.starts.map((start) => ({ key: start.slice(0, KEY), anchor }))),
  ({ key }) => key,
);
const steps = new Uint8Array(1 << 16).fill(KEY - 1);
for (const key of anchorsAt.keys())
  for (let end = 1; end < KEY; end++) {
    const pair = pairAt(Buffer.from(key), end);
    steps[pair] = Math.min(steps[pair]!, KEY - 1 - end);
  }

/** The tokens in a text, also where it is the inside of a string of JSON. */
export function findShapes(text: string): Place[] {
  const places: Place[] = [];
  for (const [rule, spans] of suspects(text))
    for (const { start, end } of spans) places.push(...searchSpan(rule, text, start, end));
  return places;
}

/** Where a token may have begun that the end of the text cuts off; the length of the text when none has. */
export function openShape(text: string): number {
  let begin = text.length;
  for (const lowest = Math.max(0, begin - SHAPE_REACH); begin > lowest && TOKEN.test(text[begin - 1]!);)
    begin--;
  const token = anchorsIn(text, begin).length > 0 ? begin : text.length;
  const key = text.slice(-SHAPE_REACH).search(OPEN_KEY);
  return key < 0 ? token : Math.min(Math.max(0, text.length - SHAPE_REACH) + key, token);
}

/** The head of a key in PEM, perhaps not all of it, whose foot is not there. */
const OPEN_KEY = /-----BEGIN ?[A-Z ]*(?:$|PRIVATE(?:$| KEY(?![^]*-----END[A-Z ]*-----)))/;
const TOKEN = /[\w.+/=:@~%-]/;

/** By rule, the parts of the text around its anchors, those that touch put together. */
function suspects(text: string): Map<string, { start: number; end: number }[]> {
  const spans = new Map<string, { start: number; end: number }[]>();
  for (const { rule, at } of anchorsIn(text, 0)) {
    const of = spans.get(rule) ?? [];
    const last = of.at(-1);
    const [start, end] = [Math.max(0, at - BEFORE), Math.min(text.length, at + SHAPE_REACH)];
    if (last === undefined || start > last.end) spans.set(rule, [...of, { start, end }]);
    else last.end = end;
  }
  return spans;
}

function anchorsIn(text: string, from: number): { rule: string; at: number }[] {
  const found: { rule: string; at: number }[] = [];
  // Bytes are read much faster than characters; what is beyond Latin-1 stands for some other sign, and is compared below.
  const bytes = Buffer.from(text, 'latin1');
  for (let end = from + KEY - 1; end < bytes.length;) {
    const step = steps[pairAt(bytes, end)]!;
    if (step === 0) {
      const at = end - KEY + 1;
      for (const { anchor } of anchorsAt.get(text.slice(at, end + 1)) ?? [])
        if (matches(anchor, text, at)) found.push({ rule: anchor.rule, at });
    }
    end += step === 0 ? 1 : step;
  }
  return found;
}

function matches({ match }: Anchor, text: string, at: number): boolean {
  match.lastIndex = at;
  return match.test(text);
}

function pairAt(bytes: Buffer, end: number): number {
  return (bytes[end - 1]! << 8) | bytes[end]!;
}

/** What a rule finds between two places; one that reaches the second one may be longer than was thought. */
function searchSpan(rule: string, text: string, start: number, end: number): Place[] {
  const part = text.slice(start, end);
  const found = search.get(rule)!(part);
  // In a string of JSON the letter before a token may be that of a line's end.
  const plain = unescaped(part);
  if (plain !== part) found.push(...search.get(rule)!(plain));
  if (end < text.length && found.some((place) => place.end >= part.length))
    return searchSpan(rule, text, start, Math.min(text.length, end + SHAPE_REACH));
  return found.map((place) => ({ kind: place.kind, start: place.start + start, end: place.end + start }));
}

/** What an escaped text says, at the same places. */
function unescaped(text: string): string {
  return text.replaceAll(/\\+[nrt"']/g, (sequence) => {
    const sign = sequence.at(-1)!;
    return (sign === '"' || sign === "'" ? sign : ' ').padStart(sequence.length);
  });
}

function ownTokens(text: string): Place[] {
  return [...text.matchAll(OWN_TOKEN)].map(({ index, 0: token }) => ({
    kind: 'autocode: token',
    start: index,
    end: index + token.length,
  }));
}

/** A rule of secretlint as a function of a text. */
function ruleOf(name: string): (text: string) => Place[] {
  const found: Found[] = [];
  const rule = rules.find(({ meta }) => meta.id === `${PREFIX}${name}`);
  if (rule === undefined) throw new TypeError(`secretlint has no rule ${name}`);
  const context = {
    createTranslator: () => (id: string, data?: object) => ({ message: id, messageId: id, data }),
    report: ({
      message,
      range,
    }: {
      message: { messageId: string; data?: object };
      range: [number, number];
    }) =>
      void found.push({
        kind: `${name}: ${message.messageId}`,
        start: range[0],
        end: range[1],
        data: message.data,
      }),
  };
  const { file } = (rule.create as unknown as (with_: typeof context, options: object) => Searching)(
    context,
    {},
  );
  return (content) => {
    found.length = 0;
    for (const filePath of name === 'npm' ? FILES : ['']) file({ content, filePath, ext: '' });
    return found.map((each) => ({ kind: each.kind, ...placeOf(content, each) }));
  };
}

interface Searching {
  file(source: { content: string; filePath: string; ext: string }): void;
}

/** Some rules give a range that begins before the secret and is as long as it; what it is they say beside that. */
export function placeOf(content: string, { start, end, data }: Pick<Found, 'start' | 'end' | 'data'>) {
  const places = Object.values(data ?? {})
    .filter((value) => typeof value === 'string')
    .map((value) => ({ at: content.indexOf(value, start), length: value.length }))
    .filter(({ at, length }) => length > 0 && at >= start && at < end)
    .toSorted((a, b) => b.length - a.length);
  const [place] = places;
  return place === undefined ? { start, end } : { start: place.at, end: place.at + place.length };
}
