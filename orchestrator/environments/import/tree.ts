// A root directory as it is put together in memory from a directory or from the layers of an image. Only names and kinds are here;
// the bytes stay in the files that they came from. Nothing is ever unpacked, so no link in it leads anywhere outside.
// Used by the sources beside it and by write.ts.
import { AutocodeError } from '../../../protocol/errors.ts';
import { KEPT_OF_VAR, NOT_OF_A_ROOT } from '../../../protocol/environment.ts';
import type { TarEntry } from '../tar/read.ts';

/** Where the bytes of a file are; files that share one are hard links of each other. */
export interface Content {
  size: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface Directory {
  kind: 'directory';
  mode: number;
  mtime: number;
  /** The layer that named it last; whiteouts of a layer hide what is below it. */
  layer: number;
  entries: Map<string, Node>;
}

export type Node =
  | Directory
  | { kind: 'file'; mode: number; mtime: number; layer: number; content: Content }
  | { kind: 'link'; mtime: number; layer: number; target: string };

export interface Tree {
  root: Directory;
  /** What was left out, by kind of thing, for whoever imports. */
  leftOut: Map<string, number>;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const MOST_LINKS = 40;
/** Of the machine that a root was made on, or of its users. */
const NOT_OF_ETC = [
  'shadow',
  'shadow-',
  'gshadow',
  'gshadow-',
  'resolv.conf',
  'hostname',
  'mtab',
  'machine-id',
  '.pwd.lock',
];

/** An empty one. */
export function emptyTree(): Tree {
  return { root: directory(0), leftOut: new Map() };
}

/** Puts an entry of a layer in its place: what it names replaces what is there, a whiteout removes what lower layers have. */
export function applyEntry(tree: Tree, entry: TarEntry, layer: number, content: () => Content): void {
  const parts = partsOf(entry.name);
  const name = parts.pop();
  if (name === undefined) return; // the root itself
  const { mtime, mode, kind } = entry;
  const parent = directoryAt(tree, parts, layer);
  if (name.startsWith(WHITEOUT)) return whiteOut(parent, name, layer);
  if (kind === 'other') return note(tree, 'devices, pipes and others that are no files');
  if (kind === 'directory') {
    const there = parent.entries.get(name);
    if (there?.kind === 'directory') Object.assign(there, { mode, mtime, layer });
    else parent.entries.set(name, { ...directory(layer), mode, mtime });
  } else if (kind === 'link') parent.entries.set(name, { kind, mtime, layer, target: entry.target });
  else if (kind === 'file') parent.entries.set(name, { kind, mode, mtime, layer, content: content() });
  else {
    const linked = nodeAt(tree, partsOf(entry.target));
    if (linked === undefined || linked.kind === 'directory')
      throw refused(`${shown(entry.name)} is a hard link to ${shown(entry.target)}, which is no file in it`);
    parent.entries.set(name, { ...linked, layer });
  }
  if ((mode & 0o7000) !== 0 && kind === 'file') note(tree, 'set-user-id and set-group-id bits');
}

/** Takes out what no run sees of a root, and what tells of the machine it was made on. */
export function trim(tree: Tree): void {
  const { entries } = tree.root;
  for (const name of NOT_OF_A_ROOT) {
    const [top = '', below] = name.split('/');
    const within = below === undefined ? tree.root : entries.get(top);
    if (within?.kind === 'directory' && drop(within, below ?? top)) note(tree, `/${name}`);
  }
  const [top, kept] = KEPT_OF_VAR.split('/') as [string, string];
  const variable = entries.get(top);
  if (variable?.kind === 'directory')
    for (const name of variable.entries.keys())
      if (name !== kept && drop(variable, name)) note(tree, `/var but /${KEPT_OF_VAR}`);
  for (const name of ['etc', 'opt', 'var']) {
    const node = entries.get(name);
    if (node !== undefined && node.kind !== 'directory') throw refused(`/${name} is no directory`);
  }
  const etc = entries.get('etc');
  if (etc?.kind === 'directory') for (const name of NOT_OF_ETC) etc.entries.delete(name);
}

// What is empty is not worth a word.
function drop(within: Directory, name: string): boolean {
  const node = within.entries.get(name);
  within.entries.delete(name);
  return node !== undefined && !(node.kind === 'directory' && node.entries.size === 0);
}

function whiteOut(parent: Directory, name: string, layer: number): void {
  const hidden = name === OPAQUE ? [...parent.entries.keys()] : [name.slice(WHITEOUT.length)];
  for (const each of hidden) {
    const node = parent.entries.get(each);
    if (node !== undefined && node.layer < layer) parent.entries.delete(each);
  }
}

/** The directory of that path, its links followed within the root; made where it is missing. */
function directoryAt(tree: Tree, parts: string[], layer: number): Directory {
  const found = walk(tree, parts, (parent, name) => {
    const made = directory(layer);
    parent.entries.set(name, made);
    return made;
  });
  if (found?.kind === 'directory') return found;
  throw refused(`${shown(parts.join('/'))} is a file, and another entry is in it`);
}

function nodeAt(tree: Tree, parts: string[]): Node | undefined {
  const name = parts.at(-1);
  const parent = walk(tree, parts.slice(0, -1), () => undefined);
  return name === undefined || parent?.kind !== 'directory' ? undefined : parent.entries.get(name);
}

function walk(
  tree: Tree,
  parts: string[],
  missing: (parent: Directory, name: string) => Directory | undefined,
): Node | undefined {
  const left = [...parts];
  const above: Directory[] = [];
  let at: Node = tree.root;
  for (let links = 0; left.length > 0;) {
    const name = left.shift()!;
    if (at.kind !== 'directory') return undefined;
    if (name === '..') at = above.pop() ?? tree.root;
    if (name === '..' || name === '.' || name === '') continue;
    const next: Node | undefined = at.entries.get(name) ?? missing(at, name);
    if (next === undefined) return undefined;
    if (next.kind !== 'link') {
      above.push(at);
      at = next;
      continue;
    }
    if (++links > MOST_LINKS) throw refused(`${shown(parts.join('/'))} leads through links without end`);
    if (next.target.startsWith('/')) [at, above.length] = [tree.root, 0];
    left.unshift(...next.target.split('/'));
  }
  return at;
}

/** A path of an archive; one that leads out of it is refused. */
function partsOf(name: string): string[] {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || name.includes('\0')) throw refused(`${shown(name)} leads out of the root`);
  return parts;
}

function directory(layer: number): Directory {
  return { kind: 'directory', mode: 0o755, mtime: 0, layer, entries: new Map() };
}

/** Counts something that is left out. */
export function note({ leftOut }: Tree, what: string): void {
  leftOut.set(what, (leftOut.get(what) ?? 0) + 1);
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 300));
}

function refused(why: string): AutocodeError {
  return new AutocodeError('ERR_ENVIRONMENT', `This is no root directory that can be taken: ${why}.`, {
    remedy: 'Export it anew, as with `docker save` or `docker export`.',
  });
}
