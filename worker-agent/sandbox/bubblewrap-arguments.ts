// The file system of a sandbox, its namespaces and who its processes are, as arguments for bwrap. Used by bubblewrap.ts.
import type { Identity } from './identity.ts';
import { layoutOf, type Entry, type Layout } from './layout.ts';

/** Namespaces, then mounts in their order. */
export function layoutArguments(layout: Layout, identity: Identity): string[] {
  return [
    ...['ipc', 'pid', 'net', 'uts', 'cgroup'].map((each) => `--unshare-${each}`),
    ...identity.arguments,
    '--die-with-parent',
    '--new-session',
    '--hostname',
    'sandbox',
    '--clearenv',
    ...layoutOf(layout).flatMap(argumentsOf),
    ...['/dev', '/'].flatMap((directory) => ['--remount-ro', directory]),
  ];
}

function argumentsOf(entry: Entry): string[] {
  switch (entry.kind) {
    case 'directory':
      return ['--perms', '0755', '--dir', entry.at]; // bwrap would make it for its own user alone
    case 'processes':
      return ['--proc', entry.at];
    case 'devices':
      return ['--dev', entry.at];
    case 'link':
      return ['--symlink', entry.to, entry.at];
    case 'memory':
      return ['--perms', '1777', '--size', String(entry.bytes), '--tmpfs', entry.at];
    case 'host':
      return [entry.writable ? '--bind' : '--ro-bind', entry.from, entry.at];
  }
}
