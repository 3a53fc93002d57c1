// Changes single keys of a YAML text; comments, order and what was not named stay. Used by settings-file.ts.
import { isDeepStrictEqual } from 'node:util';
import { isAlias, isMap, isNode, isScalar, isSeq, parseDocument, YAMLMap } from 'yaml';
import type { Document, Node } from 'yaml';

export interface YamlChange {
  set: ReadonlyMap<string, unknown>; // by path, as `api.port`
  unset: readonly string[];
}

/** The changed text; the same one where it says all that already. Undefined where the keys cannot be changed one by one: anchors. */
export function editYaml(text: string, change: YamlChange): string | undefined {
  const document = parseDocument(text, { prettyErrors: false });
  const before = contentOf(document);
  const wanted = changed(before, change);
  if (isDeepStrictEqual(wanted, before)) return text;
  try {
    for (const path of change.unset) remove(document, path.split('.'));
    for (const [path, value] of change.set) put(document, path.split('.'), value);
  } catch (error) {
    if (error instanceof Anchored) return undefined;
    throw error;
  }
  const edited = document.toString({ lineWidth: 0 });
  // What an anchor holds would have changed elsewhere too; half a surrogate pair is no text.
  const reread = contentOf(parseDocument(Buffer.from(edited).toString(), { prettyErrors: false }));
  return isDeepStrictEqual(reread, wanted) ? edited : undefined;
}

/** What a text says, as plain data. */
export function contentOf(document: Document): Record<string, unknown> {
  return (document.toJS() ?? {}) as Record<string, unknown>;
}

/** A part of the path is written by an alias: what it stands for is written elsewhere, for several. */
class Anchored extends Error {}

// Copies what it changes: an anchor's map may be that of others too.
function changed(content: Record<string, unknown>, { set, unset }: YamlChange): Record<string, unknown> {
  let result = content;
  for (const path of unset) result = without(result, path.split('.'));
  for (const [path, value] of set) result = having(result, path.split('.'), value);
  return result;
}

function having(
  map: Record<string, unknown>,
  [first = '', ...rest]: string[],
  value: unknown,
): Record<string, unknown> {
  const child = map[first];
  return { ...map, [first]: rest.length === 0 ? value : having(isPlain(child) ? child : {}, rest, value) };
}

/** Without a key, and without the parts above that are empty then: an empty part would still switch on what it is about. */
function without(map: Record<string, unknown>, [first = '', ...rest]: string[]): Record<string, unknown> {
  const child = map[first];
  const { [first]: _, ...others } = map;
  if (rest.length === 0) return others;
  if (!isPlain(child)) return map;
  const left = without(child, rest);
  const isEmptied = Object.keys(left).length === 0 && Object.keys(child).length > 0;
  return isEmptied ? others : { ...map, [first]: left };
}

function remove(document: Document, parts: string[]): void {
  const removeIn = (map: unknown, [first, ...rest]: string[]): void => {
    if (isAlias(map)) throw new Anchored();
    if (!isMap(map) || first === undefined || !map.has(first)) return;
    if (rest.length > 0) {
      const child = map.get(first, true);
      if (!isMap(child) && !isAlias(child)) return;
      const had = isMap(child) ? child.items.length : 0;
      removeIn(child, rest);
      if (!isMap(child) || child.items.length > 0 || had === 0) return;
    }
    map.delete(first);
  };
  removeIn(document.contents, parts);
}

function put(document: Document, parts: string[], value: unknown): void {
  const last = parts.at(-1)!;
  if (!isMap(document.contents)) document.contents = new YAMLMap() as unknown as typeof document.contents;
  let map = inBlock(document.contents as unknown as YAMLMap);
  for (const part of parts.slice(0, -1)) {
    const child = map.get(part, true) as unknown;
    if (isAlias(child)) throw new Anchored();
    if (!isMap(child)) map.set(part, withComments(new YAMLMap(), child));
    map = inBlock(map.get(part, true) as unknown as YAMLMap);
  }
  putIn(document, map, last, value);
}

// `{}` is written in a line, and all that comes into it would be.
function inBlock(map: YAMLMap): YAMLMap {
  if (map.items.length === 0) map.flow = false;
  return map;
}

function putIn(document: Document, map: YAMLMap, key: string, value: unknown): void {
  const pair = map.items.find((item) => nameOf(item.key) === key);
  if (pair === undefined) map.set(document.createNode(key), document.createNode(value));
  else pair.value = merged(document, pair.value, value);
}

function nameOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

// As much of the old nodes as says the same, with the comments in it.
function merged(document: Document, old: unknown, value: unknown): unknown {
  if (isMap(old) && isPlain(value)) {
    const gone = old.items.map(({ key }) => key).filter((key) => !Object.hasOwn(value, nameOf(key)));
    for (const key of gone) old.delete(key);
    for (const [key, each] of Object.entries(value)) putIn(document, old as YAMLMap, key, each);
    return old;
  }
  if (isSeq(old) && old.items.length > 0 && Array.isArray(value)) {
    const left = [...old.items];
    old.items = value.map((each: unknown) => {
      const at = left.findIndex((item) => isSame(document, item, each));
      return at < 0 ? document.createNode(each) : merged(document, left.splice(at, 1)[0], each);
    });
    return old;
  }
  if (isScalar(old) && old.value === value) return old;
  const fresh = document.createNode(value);
  if (
    isScalar(fresh) &&
    isScalar(old) &&
    typeof value === 'string' &&
    typeof old.value === 'string' &&
    old.type
  )
    fresh.type = old.type;
  return withComments(fresh, old);
}

/** Whether an item of a list is still the same one: by its name, or as a whole. */
function isSame(document: Document, item: unknown, value: unknown): boolean {
  const was: unknown = isNode(item) ? item.toJS(document) : item;
  if (isPlain(was) && isPlain(value) && was.name !== undefined) return was.name === value.name;
  return isDeepStrictEqual(was, value);
}

function withComments<N extends Node>(fresh: N, old: unknown): N {
  if (!isNode(old) || isAlias(old)) return fresh;
  const { commentBefore, comment, spaceBefore } = old;
  return Object.assign(fresh, {
    ...(commentBefore == null ? {} : { commentBefore }),
    ...(comment == null ? {} : { comment }),
    ...(spaceBefore === undefined ? {} : { spaceBefore }),
  });
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
