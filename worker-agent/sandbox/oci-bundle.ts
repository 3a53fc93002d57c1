// The description of one program in a sandbox that an OCI runtime reads (`config.json`), from what the sandbox is to hold.
// Pure. Used by container.ts.
import { AGENT } from './identity.ts';
import type { Entry } from './layout.ts';

export interface Bundle {
  /** The directory with nothing but the places at which the entries are mounted, and their links. */
  root: string;
  entries: Entry[];
  /** More of `mounts`, in the runtime's words. */
  mounts: object[];
  /** Most that there may be, as a limit of the user; null for none. */
  processes: number | null;
  argv: string[];
  environment: Record<string, string>;
  /** `linux.seccomp`. */
  seccomp: object;
}

/** Namespaces of its own for everything, a user without rights, no file system but what the entries name. */
export function ociConfig({ root, entries, mounts, processes, argv, environment, seccomp }: Bundle): object {
  return {
    ociVersion: '1.0.0',
    hostname: 'sandbox',
    root: { path: root, readonly: true },
    process: {
      terminal: false,
      cwd: '/',
      user: { uid: AGENT, gid: AGENT },
      args: argv,
      env: Object.entries(environment).map((each) => each.join('=')),
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] },
      ...(processes === null
        ? {}
        : { rlimits: [{ type: 'RLIMIT_NPROC', soft: processes, hard: processes }] }),
    },
    mounts: [...mounts, ...entries.flatMap(mountOf)],
    linux: {
      namespaces: ['pid', 'ipc', 'uts', 'mount', 'network', 'cgroup'].map((type) => ({ type })),
      seccomp,
    },
  };
}

function mountOf(entry: Entry): object[] {
  const { at: destination } = entry;
  switch (entry.kind) {
    case 'directory':
    case 'link':
      return [];
    case 'processes':
      return [{ destination, type: 'proc', source: 'proc' }];
    case 'devices':
      return [
        { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=0755', 'size=65536'] },
        {
          destination: `${destination}/pts`,
          type: 'devpts',
          source: 'devpts',
          options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
        },
      ];
    case 'memory':
      return [
        {
          destination,
          type: 'tmpfs',
          source: 'tmpfs',
          options: ['nosuid', 'nodev', 'mode=1777', `size=${entry.bytes}`],
        },
      ];
    case 'host': {
      const options = ['rbind', 'nosuid', 'nodev', entry.writable ? 'rw' : 'ro'];
      return [{ destination, type: 'bind', source: entry.from, options }];
    }
  }
}
