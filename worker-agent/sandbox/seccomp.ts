// The system call filter of the sandbox, as the program for the kernel's classic BPF machine. Used by bubblewrap-host.ts
// and, for what it refuses, by oci-seccomp.ts.
// Namespaces and the missing capabilities keep a process in; the filter takes away parts of the kernel that it has no use
// for and that have let processes out before.
import { AutocodeError } from '../../protocol/errors.ts';

/** Its numbers, by the architecture as `uname -m` has it. Null: the architecture has no such call. */
interface Call {
  name: string;
  x86_64: number;
  aarch64: number | null;
}

/** Refused whatever the arguments. Tracing is not among them: in a process namespace of its own nobody else can be traced. */
export const REFUSED: readonly Call[] = [
  call('mount', 165, 40),
  call('umount2', 166, 39),
  call('pivot_root', 155, 41),
  call('open_tree', 428, 428),
  call('move_mount', 429, 429),
  call('fsopen', 430, 430),
  call('fsconfig', 431, 431),
  call('fsmount', 432, 432),
  call('fspick', 433, 433),
  call('mount_setattr', 442, 442),
  call('setns', 308, 268),
  call('unshare', 272, 97),
  call('add_key', 248, 217),
  call('request_key', 249, 218),
  call('keyctl', 250, 219),
  call('bpf', 321, 280),
  call('perf_event_open', 298, 241),
  call('userfaultfd', 323, 282),
  call('io_uring_setup', 425, 425),
  call('io_uring_enter', 426, 426),
  call('io_uring_register', 427, 427),
  call('kexec_load', 246, 104),
  call('kexec_file_load', 320, 294),
  call('create_module', 174, null),
  call('init_module', 175, 105),
  call('finit_module', 313, 273),
  call('delete_module', 176, 106),
  call('reboot', 169, 142),
  call('swapon', 167, 224),
  call('swapoff', 168, 225),
  call('acct', 163, 89),
  call('syslog', 103, 116),
  call('quotactl', 179, 60),
  call('open_by_handle_at', 304, 265),
];

/** Calls that are looked at closer: their number, and what of the first two arguments is allowed. */
const LOOKED_AT = {
  x86_64: { arch: 0xc000003e, clone: 56, clone3: 435, ioctl: 16, socket: 41 },
  aarch64: { arch: 0xc00000b7, clone: 220, clone3: 435, ioctl: 29, socket: 198 },
};

export type Architecture = keyof typeof LOOKED_AT;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
export const NEW_NAMESPACES = 0x7e020000;
/** Requests that put characters into a terminal's input: TIOCSTI, TIOCLINUX. */
export const TERMINAL_INPUT = [0x5412, 0x541c];
/** UNIX, INET, INET6, NETLINK. Others, as VSOCK, know nothing of network namespaces or are the kernel's least tried parts. */
export const ADDRESS_FAMILIES = [1, 2, 10, 16];

const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const IF_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const IF_AT_LEAST = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const IF_ANY_BIT = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const RETURN = 0x06;

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const EPERM = 0x00050000 | 1;
const ENOSYS = 0x00050000 | 38;
const EAFNOSUPPORT = 0x00050000 | 97;

// Offsets in struct seccomp_data. Of an argument the low half counts: the kernel reads no more of these.
const NUMBER = 0;
const ARCHITECTURE = 4;
const ARGUMENT_0 = 16;
const ARGUMENT_1 = 24;
/** Numbers from here on are x32's, a second set of calls on x86_64. */
const X32 = 0x40000000;

type Instruction = [code: number, ifTrue: number, ifFalse: number, value: number];

/** The filter as bytes for `bwrap --seccomp`: an array of struct sock_filter. */
export function seccompProgram(architecture: Architecture): Buffer {
  const { arch, clone, clone3, ioctl, socket } = LOOKED_AT[architecture];
  const instructions: Instruction[] = [
    [LOAD, 0, 0, ARCHITECTURE],
    [IF_EQUAL, 1, 0, arch],
    [RETURN, 0, 0, KILL_PROCESS],
    [LOAD, 0, 0, NUMBER],
    ...(architecture === 'x86_64'
      ? ([
          [IF_AT_LEAST, 0, 1, X32],
          [RETURN, 0, 0, ENOSYS],
        ] as Instruction[])
      : []),
    ...REFUSED.flatMap((each) => (each[architecture] === null ? [] : answer(each[architecture], EPERM))),
    ...answer(clone3, ENOSYS), // its flags lie in memory, out of sight; libraries then use clone
    ...lookAt(clone, ARGUMENT_0, [
      [IF_ANY_BIT, 0, 1, NEW_NAMESPACES],
      [RETURN, 0, 0, EPERM],
    ]),
    ...lookAt(
      ioctl,
      ARGUMENT_1,
      TERMINAL_INPUT.flatMap((request) => answer(request, EPERM)),
    ),
    ...lookAt(socket, ARGUMENT_0, [
      ...ADDRESS_FAMILIES.flatMap((family) => answer(family, ALLOW)),
      [RETURN, 0, 0, EAFNOSUPPORT],
    ]),
    [RETURN, 0, 0, ALLOW],
  ];
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [index, [code, ifTrue, ifFalse, value]] of instructions.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  }
  return bytes;
}

/** The architecture of this machine; there is no sandbox on others. */
export function architectureOf(machine: string): Architecture {
  if (machine in LOOKED_AT) return machine as Architecture;
  throw new AutocodeError('ERR_SANDBOX', `There is no system call filter for ${machine}.`, {
    remedy: `Run the worker on ${Object.keys(LOOKED_AT).join(' or ')}.`,
  });
}

function call(name: string, x86_64: number, aarch64: number | null): Call {
  return { name, x86_64, aarch64 };
}

/** If what is loaded is the value, the filter answers so. */
function answer(value: number, action: number): Instruction[] {
  return [
    [IF_EQUAL, 0, 1, value],
    [RETURN, 0, 0, action],
  ];
}

/** For one call, loads an argument and goes by it; what `rules` leave open is allowed. */
function lookAt(number: number, argument: number, rules: Instruction[]): Instruction[] {
  return [[IF_EQUAL, 0, rules.length + 2, number], [LOAD, 0, 0, argument], ...rules, [RETURN, 0, 0, ALLOW]];
}
