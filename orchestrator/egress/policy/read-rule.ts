// One rule from its words: every mistake with the column where it stands. Used by parse.ts.
import { domainToASCII } from 'node:url';
import { Name } from '../../../protocol/ids.ts';
import { TASK_KINDS } from '../../../protocol/task.ts';
import { readAddress } from './address.ts';
import { readHost, splitPort } from './host.ts';
import { readPath } from './path.ts';
import type { Rule } from './rule.ts';

/** A part of a line and where it begins. */
export interface Word {
  text: string;
  column: number;
}

/** Tells a mistake: at which column, what it is, what to write instead. */
export type Complain = (column: number, message: string, remedy: string) => undefined;

const KEYS = ['method', 'host', 'address', 'path', 'project', 'run-kind'] as const;
type Key = (typeof KEYS)[number];

/** Reads `allow|deny|pass key=value …`; undefined where something was wrong with it. */
export function readRule(
  action: Rule['action'],
  words: Word[],
  end: number,
  complain: Complain,
): Rule | undefined {
  let right = true;
  const wrong: Complain = (...mistake) => {
    right = false;
    complain(...mistake);
  };
  const values = valuesOf(words, wrong);
  const read = <T>(key: Key, reader: (word: Word, wrong: Complain) => T | undefined): T | undefined => {
    const word = values.get(key);
    return word === undefined || word.text === '' ? undefined : reader(word, wrong);
  };
  if (!values.has('host') && right)
    wrong(end, 'The rule names no host.', 'Add host=NAME, host=*.NAME, host=**.NAME or host=**.');
  const place = read('host', readPlace);
  const rule: Rule = {
    action,
    methods: read('method', readMethods) ?? null,
    host: place?.host ?? '',
    port: place?.port ?? null,
    address: read('address', readPinned) ?? null,
    path: read('path', readPattern) ?? '/**',
    project: read('project', readProject) ?? null,
    runKind: read('run-kind', readRunKind) ?? null,
  };
  for (const key of ['method', 'path'] as const)
    if (action === 'pass' && values.has(key))
      wrong(
        values.get(key)!.column,
        `What is passed is not looked into, so it has no ${key}.`,
        `Leave ${key}= out, or use allow.`,
      );
  if (rule.address !== null && place?.isAddress === true)
    wrong(
      values.get('address')!.column,
      'The host is an address already.',
      'Leave address= out, or name the host.',
    );
  return right ? rule : undefined;
}

function valuesOf(words: Word[], wrong: Complain): Map<Key, Word> {
  const values = new Map<Key, Word>();
  for (const { text, column } of words) {
    const at = text.indexOf('=');
    const key = KEYS.find((each) => each === text.slice(0, at));
    if (at < 0) {
      wrong(column, `"${text}" is no key=value.`, `Keys are ${KEYS.join(', ')}.`);
    } else if (key === undefined) {
      wrong(column, `There is no key "${text.slice(0, at)}".`, `Keys are ${KEYS.join(', ')}.`);
    } else if (values.has(key)) {
      wrong(column, `${key}= stands twice.`, 'Make two rules of it, or leave one out.');
    } else if (at === text.length - 1) {
      wrong(column, `${key}= has no value.`, 'Write the value behind it, without a space, or leave it out.');
      values.set(key, { text: '', column });
    } else values.set(key, { text: text.slice(at + 1), column: column + at + 1 });
  }
  return values;
}

function readMethods({ text, column }: Word, wrong: Complain): string[] | null | undefined {
  if (text === '*') return null;
  const methods = text.split(',');
  const odd = methods.find((method) => !/^[A-Z][A-Z-]{0,31}$/.test(method));
  if (odd !== undefined)
    return wrong(
      column,
      `"${odd}" is no method.`,
      `Write methods in capitals with commas between them${/^[a-z-]+$/i.test(odd) ? `: ${odd.toUpperCase()}` : ', as GET,HEAD'}.`,
    );
  if (methods.includes('CONNECT'))
    return wrong(
      column,
      'CONNECT is no method of its own: it is allowed where anything may go through it.',
      'Leave it out.',
    );
  return [...new Set(methods)].toSorted();
}

type Place = { host: string; port: number | null; isAddress: boolean };

function readPlace({ text, column }: Word, wrong: Complain): Place | undefined {
  const no = (message: string, remedy: string) => wrong(column, message, remedy);
  if (/^[a-z]+:\/\//i.test(text)) return no('A host has no scheme.', 'Leave http:// or https:// out.');
  if (text.includes('@')) return no('A host has no user.', 'Leave what stands before the @ out.');
  if (text.includes('/')) return no('A host has no path.', 'Write the path as path=/…');
  const { host: name, port } =
    readHost(text)?.isAddress === true ? { host: text, port: null } : splitPort(text);
  if (port !== null && (port < 1 || port > 65_535))
    return no('The port is none.', 'Write a number from 1 to 65535 behind the colon.');
  const [, wild = '', rest = ''] = /^(\*\*?(?:\.|$))?(.*)$/.exec(name) ?? [];
  if (wild === '*')
    return no('"*" is one label, and no host has only one that is unknown.', 'Write ** for every name.');
  if (wild === '**') return { host: '**', port, isAddress: false };
  if (rest.includes('*'))
    return no(
      'A "*" stands for whole labels at the beginning of a name.',
      'Write *.NAME for one label before NAME, **.NAME for one and more.',
    );
  const ascii = /^[\x21-\x7e]+$/.test(rest) ? rest : domainToASCII(rest);
  const host = readHost(ascii);
  if (host === null || (host.isAddress && wild !== ''))
    return no(
      `"${rest}" is no host name and no address.`,
      'Write a name, four decimal numbers as 10.0.0.5, or an IPv6 address as [2001:db8::1].',
    );
  return { host: `${wild}${host.value}`, port, isAddress: host.isAddress };
}

function readPinned({ text, column }: Word, wrong: Complain): string | undefined {
  const address = readAddress(text.replace(/^\[(.*)\]$/, '$1'));
  if (address !== null) return address;
  return wrong(
    column,
    `"${text}" is no address.`,
    'Write one address, as 10.0.0.5; a rule each for several.',
  );
}

function readPattern({ text, column }: Word, wrong: Complain): string | undefined {
  const no = (message: string, remedy: string) => wrong(column, message, remedy);
  if (!text.startsWith('/')) return no('A path begins with a slash.', `Write path=/${text}`);
  if (/[?#]/.test(text))
    return no('A path has no "?" and no "#": what follows them is not looked at.', 'Leave it out.');
  if (text.includes(';'))
    return no('A ";" in a path is read in different ways by servers.', 'Write "*" or "**" for the segment.');
  if (text.includes('//'))
    return no('Two slashes in a row are read in different ways by servers.', 'Write one.');
  const segments = text.slice(1).split('/');
  const rest = segments.indexOf('**');
  if (rest >= 0 && rest < segments.length - 1)
    return no(
      '"**" stands for the rest, so nothing may follow it.',
      'Write "*" for each segment in between.',
    );
  const mixed = segments.find((segment) => segment.includes('*') && segment !== '*' && segment !== '**');
  if (mixed !== undefined)
    return no(
      `"${mixed}": a "*" stands for a whole segment.`,
      'Write "*" for the segment, or %2A for a star itself.',
    );
  const read = readPath(`/${segments.map((segment) => (segment.startsWith('*') ? 'x' : segment)).join('/')}`);
  if (read === null || read.length !== segments.length)
    return no(
      'The path has a dot segment, an encoded slash, a backslash, or an escape that is none.',
      'Write it as servers read it, without . and .., in ASCII with %XX for the rest.',
    );
  return `/${read.map((segment, index) => (segments[index]!.startsWith('*') ? segments[index] : segment)).join('/')}`;
}

function readProject({ text, column }: Word, wrong: Complain): string | undefined {
  if (Name.safeParse(text).success) return text;
  return wrong(column, `"${text}" is no name of a project.`, 'See `autocode project list`.');
}

function readRunKind({ text, column }: Word, wrong: Complain): string | undefined {
  if (TASK_KINDS.some((kind) => kind === text)) return text;
  return wrong(column, `"${text}" is no kind of run.`, `Kinds are ${TASK_KINDS.join(', ')}.`);
}
