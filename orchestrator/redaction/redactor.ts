// Takes secrets out of texts: values of secrets that are kept, in all forms, and whatever has the shape of a token or a key.
// Made by live-redactor.ts and by the thread that keeps prompts.
import type { LiveValue } from '../secrets/live-values.ts';
import { textFinder, type Place } from './find-values.ts';
import { formsOf } from './forms.ts';
import { findShapes, openShape, SHAPE_REACH } from './shapes.ts';

export interface Redactor {
  /** Where secrets stand, in their order, none within another. */
  find(text: string): Place[];
  /** The text without secrets; JSON stays JSON. */
  text(text: string): string;
  /** The text without the values of secrets that are kept; what has only the shape of a token stays. */
  values(text: string): string;
  /** A value of JSON without secrets, and how many there were. */
  json<T>(value: T): { value: T; redacted: number };
  /** Where a secret may have begun that the end of the text cuts off; the length of the text when none has. */
  openAt(text: string): number;
  /** So many characters before a place tell all about what stands there. */
  reach: number;
  /** The texts that give a secret away, with what each is. */
  forms: ReadonlyMap<string, string>;
}

/** A beginning that is shorter stands in too many texts, and tells too little, to be held back. */
const SHORTEST_BEGINNING = 4;

/** A redactor for secrets as they are now; one is made anew when they change. */
export function redactor(live: readonly LiveValue[]): Redactor {
  const forms = formsOf(live);
  const findForms = textFinder(forms);
  const openForm = beginningFinder([...forms.keys()]);
  const find = (text: string) => {
    const shapes = findShapes(text);
    // Once it was shown as a secret, it may be repeated without what gave it away.
    const again = new Map(shapes.map(({ kind, start, end }) => [text.slice(start, end), kind]));
    return apart(text, [...findForms(text), ...shapes, ...repeated(text, again)]);
  };
  return {
    forms,
    find,
    openAt: (text) => Math.min(openForm(text), openShape(text)),
    reach: [...forms.keys()].reduce((most, { length }) => Math.max(most, length), SHAPE_REACH),
    text: (text) => without(text, find(text)),
    values: (text) => without(text, apart(text, findForms(text))),
    json(value) {
      const text = JSON.stringify(value);
      const places = text === undefined ? [] : find(text);
      if (places.length === 0) return { value, redacted: 0 };
      return { value: JSON.parse(without(text, places)), redacted: places.length };
    },
  };
}

/** A function that tells where the longest end of a text begins that one of these texts goes on from. */
function beginningFinder(texts: readonly string[]): (text: string) => number {
  const longest = texts.reduce((most, { length }) => Math.max(most, length), 0);
  const byBeginning = Map.groupBy(texts, (text) => text.slice(0, SHORTEST_BEGINNING));
  return (text) => {
    for (let at = Math.max(0, text.length - longest + 1); at <= text.length - SHORTEST_BEGINNING; at++) {
      const some = byBeginning.get(text.slice(at, at + SHORTEST_BEGINNING));
      if (some?.some((each) => each.length > text.length - at && each.startsWith(text.slice(at)))) return at;
    }
    return text.length;
  };
}

function repeated(text: string, secrets: ReadonlyMap<string, string>): Place[] {
  return [...secrets].flatMap(([secret, kind]) => {
    const places: Place[] = [];
    for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + secret.length))
      places.push({ kind, start: at, end: at + secret.length });
    return places;
  });
}

/** Sorted; those that overlap become one, of the kind of the first. No escape of a string in JSON is cut in two. */
function apart(text: string, places: Place[]): Place[] {
  const merged: Place[] = [];
  for (const { kind, start, end } of places.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && start < last.end) last.end = Math.max(last.end, end);
    else merged.push({ kind, start: start - Number(escapes(text, start)), end });
  }
  for (const place of merged) place.end += Number(place.end < text.length && escapes(text, place.end));
  return merged;
}

/** Whether what begins here is escaped by a backslash before it. */
function escapes(text: string, at: number): boolean {
  let first = at;
  while (text[first - 1] === '\\') first--;
  return (at - first) % 2 === 1;
}

function without(text: string, places: readonly Place[]): string {
  if (places.length === 0) return text;
  let clean = '';
  let from = 0;
  for (const { kind, start, end } of places) {
    clean += `${text.slice(from, start)}[redacted ${kind}]`;
    from = end;
  }
  return clean + text.slice(from);
}
