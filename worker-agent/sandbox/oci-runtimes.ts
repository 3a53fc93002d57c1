// The OCI runtimes that confine a run as a container, and in what they differ: crun, whose containers are the kernel's own, and
// gVisor's runsc, which has a kernel of its own for each. Data for container-host.ts, container.ts and oci-process.ts.
import type { Limits } from './cgroup.ts';
import type { CgroupParents } from './cgroup-parents.ts';
import type { NoSuchCall } from './oci-seccomp.ts';

export interface OciRuntime {
  program: string;
  /** The words that start it, up to its verb. */
  command(program: string, cgroups: CgroupParents): string[];
  /** Mounts of the bundle beyond those of every sandbox. */
  mounts: object[];
  /** How its system call filter says that there is no such call. */
  noSuchCall: NoSuchCall;
  /** Who brings a signal to the processes inside: the kernel, to which those are processes as others, or the runtime. */
  signals: 'kernel' | 'runtime';
  /** The limits of the control group, for those of the run. */
  limits(ofRun: Limits): Limits;
  /** How many processes there may be in each container, where the control group counts something else; null: it counts them. */
  processes(ofRun: Limits): number | null;
  remedy: string;
}

// Version 1 with a part of version 2 beside it, where crun refuses to start: it is not to see that part. The sandbox's group is
// joined before crun begins, and is none of its business.
const WITHOUT_HYBRID = [
  'unshare',
  '--mount',
  '/bin/sh',
  '-c',
  '[ ! -d /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified || exit 125; exec "$@"',
  'sh',
];

// Without an overlay, what is written is on the disk of the host at once. Sockets of the host are opened, none is made.
const RUNSC = [
  '--platform=systrap',
  '--network=none',
  '--gofer-network-namespace=new',
  '--ignore-cgroups',
  '--overlay2=none',
  '--host-uds=open',
  '--host-settings=ignore',
  '--oci-seccomp',
];
/** Threads of the host for a process inside, which has two or three, and for runsc itself, which has some seventy a program. */
const THREADS = { each: 4, own: 256 };

export const OCI_RUNTIMES: Record<'container' | 'gvisor', OciRuntime> = {
  container: {
    program: 'crun',
    command: (program, { version }) => [
      ...(version === 1 ? WITHOUT_HYBRID : []),
      program,
      '--cgroup-manager=disabled',
    ],
    mounts: [],
    noSuchCall: 'errno',
    signals: 'kernel',
    limits: (ofRun) => ofRun,
    processes: () => null,
    remedy: 'Install crun (`apt install crun`) and run the worker as root, or use isolation bubblewrap.',
  },
  gvisor: {
    program: 'runsc',
    command: (program) => [program, ...RUNSC],
    // It makes one of its own where a bundle has none.
    mounts: [{ destination: '/sys', type: 'tmpfs', source: 'tmpfs', options: ['ro', 'mode=0555', 'size=0'] }],
    noSuchCall: 'trace',
    signals: 'runtime',
    limits: (ofRun) => ({ ...ofRun, pids: ofRun.pids * THREADS.each + THREADS.own }),
    processes: ({ pids }) => pids,
    remedy:
      'Install a runsc of August 2026 or newer (docs/sandbox.md says how) and run the worker as root, or use isolation bubblewrap.',
  },
};

export type ContainerKind = keyof typeof OCI_RUNTIMES;
