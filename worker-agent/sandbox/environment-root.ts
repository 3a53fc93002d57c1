// The root directory of a project's environment, as its runs see it instead of the host's programs; and what the sandbox itself
// starts inside, which stays the host's: no program of an environment runs before the rights are given up. Used by layout.ts and
// confined.ts.
import { execFile } from 'node:child_process';
import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { AutocodeError } from '../../protocol/errors.ts';
import { KEPT_OF_VAR, NOT_OF_A_ROOT } from '../../protocol/environment.ts';
import type { Entry } from './layout.ts';

export interface EnvironmentRoot {
  name: string;
  /** A directory that nobody writes any more, made by workspace/environments.ts. */
  root: string;
  /** Variables of programs inside. */
  variables: Record<string, string>;
}

/** Programs of the host as they are started inside: by its own loader, with its own libraries. */
export interface HostPrograms {
  entries: Entry[];
  /** The words that start a program, which is named by its path on the host. */
  argv(program: string): string[];
}

const AT = '/opt/autocode/system';
const SYSTEM = ['usr', 'lib', 'lib32', 'lib64', 'libx32'];
/** What the sandbox starts before, or beside, the programs of a run. */
const PROGRAMS = [
  '/usr/bin/setpriv',
  '/usr/bin/prlimit',
  '/usr/bin/setsid',
  '/usr/bin/perl',
  '/usr/bin/socat',
];
/** Of the sandbox's own, or what would reach the programs that give the rights up. */
const KEPT_BACK = /^(PATH|HOME|USER|SHELL|TMPDIR|AUTOCODE_.*|LD_(?!LIBRARY_PATH$).*|GLIBC_TUNABLES)$/;

const run = promisify(execFile);

/** The directories of a root at their places; links stay links, so that they lead to where they would inside. */
export function rootEntries(root: string): Entry[] {
  const names = (directory: string) =>
    lstatSync(path.join(root, directory), { throwIfNoEntry: false })?.isDirectory() === true
      ? readdirSync(path.join(root, directory)).map((name) => path.join(directory, name))
      : [];
  return [...names('').filter((name) => name !== 'opt' && name !== 'var'), ...names('opt'), KEPT_OF_VAR]
    .filter((name) => !NOT_OF_A_ROOT.includes(name))
    .flatMap((name) => entryOf(root, name));
}

/** The variables of an environment that programs get, without PATH. */
export function variablesOf({ variables }: EnvironmentRoot): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !KEPT_BACK.test(name)));
}

let found: Promise<HostPrograms> | undefined;

/** Where the host's programs are inside, found once a process. ERR_SANDBOX where their libraries cannot be told. */
export async function hostPrograms(): Promise<HostPrograms> {
  found ??= findPrograms();
  return await found;
}

async function findPrograms(): Promise<HostPrograms> {
  const present = PROGRAMS.filter((program) => lstatSync(program, { throwIfNoEntry: false }) !== undefined);
  let said: string;
  try {
    said = (await run('ldd', present, { env: { PATH: '/usr/bin:/bin' }, timeout: 10_000 })).stdout;
  } catch (cause) {
    throw new AutocodeError(
      'ERR_SANDBOX',
      `The libraries of this machine's programs cannot be told: ${(cause as Error).message}`,
      { remedy: 'See that `ldd` works here; without it no run with an environment can begin.', cause },
    );
  }
  const files = [...said.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map(([, file]) => realpathSync(file!));
  const loader = files.find((file) => /^ld[-.]/.test(path.basename(file)));
  if (loader === undefined)
    throw new AutocodeError('ERR_SANDBOX', 'This machine has no loader for its programs that `ldd` names.');
  const directories = [...new Set(files.map((file) => AT + path.dirname(file)))];
  return {
    entries: [
      { kind: 'directory', at: AT },
      ...SYSTEM.map((name) => `/${name}`)
        .filter((from) => lstatSync(from, { throwIfNoEntry: false })?.isDirectory() === true)
        .map((from): Entry => ({ kind: 'host', at: AT + from, from, writable: false })),
    ],
    argv: (program) => [AT + loader, '--library-path', directories.join(':'), AT + realpathSync(program)],
  };
}

function entryOf(root: string, name: string): Entry[] {
  const from = path.join(root, name);
  const stat = lstatSync(from, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() === true) return [{ kind: 'link', at: `/${name}`, to: readlinkSync(from) }];
  return stat?.isDirectory() === true ? [{ kind: 'host', at: `/${name}`, from, writable: false }] : [];
}
