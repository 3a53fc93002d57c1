// What a sandbox's processes see of files, in whichever way they are confined: what is not named here does not exist inside.
// bubblewrap-arguments.ts and oci-bundle.ts put it into the words of their programs.
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { BROWSER_POLICIES } from '../../protocol/browser-trust.ts';
import { rootEntries, type EnvironmentRoot, type HostPrograms } from './environment-root.ts';

/** Paths inside; the same in every run, so that recordings and prompts do not depend on the machine. */
export const INSIDE = {
  workspace: '/workspace',
  home: '/home/agent',
  tmp: '/tmp',
  gatewaySocket: '/run/gateway.sock',
  egressSocket: '/run/egress.sock',
  egressAuthority: '/opt/autocode/egress-ca.pem',
  tools: '/opt/autocode/agents',
  node: '/opt/autocode/node/node',
  relay: '/opt/autocode/relay.ts',
  objects: (index: number) => `/opt/autocode/objects/${index}`,
} as const;

export interface Layout {
  /** Directories of the host: the work tree and the scratch HOME, which processes inside may write. */
  tree: string;
  home: string;
  /** Object directories that the work tree's `.git` borrows from, readable. */
  objects: string[];
  /** Directory with the installed agents, readable. */
  toolDir: string;
  /** More directories to read, at the path that they have outside. */
  toolchains: string[];
  /** The project's environment, and the programs of the host beside it; null: the host's own programs are to be seen. */
  environment: { root: EnvironmentRoot; host: HostPrograms } | null;
  /** The runner's relay to the model gateway; null for a program without. */
  gatewaySocket: string | null;
  /** The runner's relay to the egress proxy, and files: the certificate of its authority, the policy for browsers; null for a program without. */
  egress: { socket: string; authority: string; browser: string } | null;
  /** Most that fits into /tmp, and into /dev/shm. */
  tmpMb: number;
}

/** Something at a path inside, in the order in which they are made. */
export type Entry =
  | { kind: 'directory' | 'processes' | 'devices'; at: string }
  | { kind: 'link'; at: string; to: string }
  | { kind: 'memory'; at: string; bytes: number }
  | { kind: 'host'; at: string; from: string; writable: boolean };

const DIRECTORIES = [
  '/etc',
  '/home',
  '/opt',
  '/opt/autocode',
  '/opt/autocode/node',
  '/opt/autocode/objects',
  '/run',
  '/var',
];
const SYSTEM = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** What programs of the host need from its /etc to run: nothing that tells of its users, its network or its secrets. */
const ETC = [
  'alternatives',
  'ca-certificates',
  'chromium.d',
  'crypto-policies',
  'fonts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'pki',
  'ssl',
];
/** Files of /etc that are the sandbox's own, in a directory of the host. */
export const OWN_ETC = ['passwd', 'group', 'hosts', 'nsswitch.conf'];
export const ETC_FILES = path.join(import.meta.dirname, 'etc');
const MEGABYTE = 1024 * 1024;

/** The file system inside; all of it that is no `host` entry to be written, and no memory, is for reading. */
export function layoutOf(layout: Layout): Entry[] {
  const { tree, home, objects, toolDir, toolchains, environment, gatewaySocket, egress, tmpMb } = layout;
  return [
    ...DIRECTORIES.map((at): Entry => ({ kind: 'directory', at })),
    ...(environment === null
      ? hostSystem()
      : [...rootEntries(environment.root.root), ...environment.host.entries]),
    { kind: 'processes', at: '/proc' },
    { kind: 'devices', at: '/dev' },
    { kind: 'memory', at: '/dev/shm', bytes: tmpMb * MEGABYTE },
    { kind: 'memory', at: INSIDE.tmp, bytes: tmpMb * MEGABYTE },
    { kind: 'link', at: '/var/tmp', to: INSIDE.tmp },
    ...(environment === null ? toolchains.flatMap(toolchain) : []),
    ...(existsSync(toolDir) ? [readOnly(toolDir, INSIDE.tools)] : []),
    readOnly(process.execPath, INSIDE.node),
    readOnly(path.join(import.meta.dirname, 'relay-inside.ts'), INSIDE.relay),
    ...objects.flatMap((directory, index) => borrowed(directory, INSIDE.objects(index))),
    ...(gatewaySocket === null ? [] : [readOnly(gatewaySocket, INSIDE.gatewaySocket)]),
    ...(egress === null
      ? []
      : [
          readOnly(egress.socket, INSIDE.egressSocket),
          readOnly(egress.authority, INSIDE.egressAuthority),
          ...browserPolicies(environment?.root.root ?? null, egress.browser),
        ]),
    { kind: 'host', at: INSIDE.home, from: home, writable: true },
    { kind: 'host', at: INSIDE.workspace, from: tree, writable: true },
  ];
}

function hostSystem(): Entry[] {
  return [
    ...systemPrograms(),
    ...ETC.map((name) => `/etc/${name}`).flatMap((file) => (existsSync(file) ? [readOnly(file, file)] : [])),
    ...OWN_ETC.map((name) => readOnly(path.join(ETC_FILES, name), `/etc/${name}`)),
  ];
}

/** What it takes to start a program of the host. */
export function systemPrograms(): Entry[] {
  return [readOnly('/usr', '/usr'), ...SYSTEM.flatMap(systemDirectory)];
}

function toolchain(directory: string): Entry[] {
  return [...directoriesAbove(directory), readOnly(directory, directory)];
}

// Which bwrap would make for its own user alone.
function directoriesAbove(at: string): Entry[] {
  const above = path.dirname(at).split('/').filter(Boolean);
  return above.map((_, index) => ({ kind: 'directory', at: `/${above.slice(0, index + 1).join('/')}` }));
}

// Beside the host's programs; in an environment over the file that was put there for it (workspace/environments.ts).
function browserPolicies(root: string | null, policy: string): Entry[] {
  return BROWSER_POLICIES.flatMap(({ browser, file }) => {
    const at = `/${file}`;
    if (root !== null) return isFileOf(root, file) ? [readOnly(policy, at)] : [];
    return existsSync(`/${browser}`) ? [...directoriesAbove(at), readOnly(policy, at)] : [];
  });
}

function readOnly(from: string, at: string): Entry {
  return { kind: 'host', at, from, writable: false };
}

// What a lender borrows itself is at a path of the host; the work tree borrows from all of them directly.
function borrowed(directory: string, at: string): Entry[] {
  const alternates = 'info/alternates';
  const hidden = existsSync(path.join(directory, alternates));
  return [
    readOnly(directory, at),
    ...(hidden ? [readOnly(path.join(ETC_FILES, 'no-alternates'), path.join(at, alternates))] : []),
  ];
}

// Over no link: it would lead elsewhere inside.
function isFileOf(root: string, file: string): boolean {
  const at = path.join(root, file);
  return existsSync(at) && realpathSync(at) === path.join(realpathSync(root), file);
}

// Links into /usr on most systems, directories on some.
function systemDirectory(directory: string): Entry[] {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  return stat.isSymbolicLink()
    ? [{ kind: 'link', at: directory, to: readlinkSync(directory) }]
    : [readOnly(directory, directory)];
}
