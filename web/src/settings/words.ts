// How the parts of the configuration are called, and what units its keys have.
import type { Setting } from '../../../protocol/settings.ts';
import { labelOf } from '../ui/schema.ts';

const NAMES: Record<string, string> = { api: 'API', tls: 'TLS' };
const UNITS: [ending: RegExp, unit: string][] = [
  [/Seconds$/, 'seconds'],
  [/Minutes$/, 'minutes'],
  [/Hours$/, 'hours'],
  [/Days$/, 'days'],
  [/Bytes$/, 'bytes'],
  [/M[ib]+$/, 'MiB'],
  [/^bytesPer/, 'bytes'],
];
const SIZES: [bytes: number, name: string][] = [
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
];

/** The name of a part, as `signIn` is `Sign in`. */
export function groupName(group: string): string {
  return NAMES[group] ?? labelOf(group, {});
}

/** What a number counts, by the end of its key. */
export function unitOf({ path }: Pick<Setting, 'path'>): string | undefined {
  const last = path.slice(path.lastIndexOf('.') + 1);
  return UNITS.find(([ending]) => ending.test(last))?.[1];
}

/** A number of bytes as people say it. */
export function sizeOf(bytes: number): string | undefined {
  const size = SIZES.find(([each]) => bytes >= each);
  return size === undefined ? undefined : `${Math.round((bytes / size[0]) * 10) / 10} ${size[1]}`;
}

/** Whether all words are in what a key is called and about. */
export function isAbout({ path, description, source }: Setting, words: string): boolean {
  const text = `${path} ${path.replaceAll(/([A-Z])/g, ' $1')} ${description} ${source}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
