// What a sandbox's processes see, as arguments for bwrap: their file system, their namespaces, who they are.
// Used by bubblewrap.ts.
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { Identity } from './identity.ts';

/** Paths inside; the same in every run, so that recordings and prompts do not depend on the machine. */
export const INSIDE = {
  workspace: '/workspace',
  home: '/home/agent',
  tmp: '/tmp',
  gatewaySocket: '/run/gateway.sock',
  tools: '/opt/autocode/agents',
  node: '/opt/autocode/node/node',
  relay: '/opt/autocode/relay.ts',
  objects: (index: number) => `/opt/autocode/objects/${index}`,
} as const;

/** Where the relay inside listens: the model gateway as agents see it. */
export const GATEWAY_PORT = 4010;

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
  /** The runner's relay to the model gateway; null for a program without. */
  gatewaySocket: string | null;
  /** Most that fits into /tmp, and into /dev/shm. */
  tmpMb: number;
  identity: Identity;
}

const SYSTEM = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** What programs of the host need from its /etc to run: nothing that tells of its users, its network or its secrets. */
const ETC = [
  'alternatives',
  'ca-certificates',
  'crypto-policies',
  'fonts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'pki',
  'ssl',
];
const OWN_ETC = ['passwd', 'group', 'hosts', 'nsswitch.conf'];
const ETC_FILES = path.join(import.meta.dirname, 'etc');
const MEGABYTE = 1024 * 1024;

/** Namespaces, then mounts in their order; what is not named does not exist inside. */
export function layoutArguments(layout: Layout): string[] {
  const { tree, home, objects, toolDir, toolchains, gatewaySocket, tmpMb, identity } = layout;
  return [
    ...['ipc', 'pid', 'net', 'uts', 'cgroup'].map((each) => `--unshare-${each}`),
    ...identity.arguments,
    '--die-with-parent',
    '--new-session',
    '--hostname',
    'sandbox',
    '--clearenv',
    ...[
      '/etc',
      '/home',
      '/opt',
      '/opt/autocode',
      '/opt/autocode/node',
      '/opt/autocode/objects',
      '/run',
      '/var',
    ].flatMap(passable),
    ...readOnly('/usr', '/usr'),
    ...SYSTEM.flatMap(systemDirectory),
    ...ETC.map((name) => `/etc/${name}`).flatMap((file) => ['--ro-bind-try', file, file]),
    ...OWN_ETC.flatMap((name) => readOnly(path.join(ETC_FILES, name), `/etc/${name}`)),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    ...memory('/dev/shm', tmpMb),
    ...memory(INSIDE.tmp, tmpMb),
    '--symlink',
    INSIDE.tmp,
    '/var/tmp',
    ...toolchains.flatMap((directory) => readOnly(directory, directory)),
    ...(existsSync(toolDir) ? readOnly(toolDir, INSIDE.tools) : []),
    ...readOnly(process.execPath, INSIDE.node),
    ...readOnly(path.join(import.meta.dirname, 'relay-inside.ts'), INSIDE.relay),
    ...objects.flatMap((directory, index) => borrowed(directory, INSIDE.objects(index))),
    ...(gatewaySocket === null ? [] : readOnly(gatewaySocket, INSIDE.gatewaySocket)),
    ...writable(home, INSIDE.home),
    ...writable(tree, INSIDE.workspace),
    ...['/dev', '/'].flatMap((directory) => ['--remount-ro', directory]),
  ];
}

function writable(from: string, to: string): string[] {
  return ['--bind', from, to];
}

function readOnly(from: string, to: string): string[] {
  return ['--ro-bind', from, to];
}

// bwrap would make it for its own user alone.
function passable(directory: string): string[] {
  return ['--perms', '0755', '--dir', directory];
}

function memory(at: string, megabytes: number): string[] {
  return ['--perms', '1777', '--size', String(megabytes * MEGABYTE), '--tmpfs', at];
}

// What a lender borrows itself is at a path of the host; the work tree borrows from all of them directly.
function borrowed(directory: string, at: string): string[] {
  const alternates = 'info/alternates';
  const hidden = existsSync(path.join(directory, alternates));
  return [
    ...readOnly(directory, at),
    ...(hidden ? readOnly(path.join(ETC_FILES, 'no-alternates'), path.join(at, alternates)) : []),
  ];
}

// Links into /usr on most systems, directories on some.
function systemDirectory(directory: string): string[] {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  return stat.isSymbolicLink()
    ? ['--symlink', readlinkSync(directory), directory]
    : readOnly(directory, directory);
}
