// The system call filter of a sandbox in the words of an OCI bundle, from what seccomp.ts refuses. Used by oci-bundle.ts.
import { ADDRESS_FAMILIES, NEW_NAMESPACES, REFUSED, TERMINAL_INPUT, type Architecture } from './seccomp.ts';

interface Argument {
  index: number;
  value: number;
  valueTwo?: number;
  op: string;
}

interface Outcome {
  action: 'SCMP_ACT_ERRNO' | 'SCMP_ACT_TRACE';
  errnoRet?: number;
}

interface Rule extends Outcome {
  names: string[];
  args?: Argument[];
}

/** What looks to a program as if the kernel did not know the call, so that it takes an older one. */
const NO_SUCH_CALL = {
  errno: { action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
  /** Where a filter has but one error: a call that nobody traces ends so. */
  trace: { action: 'SCMP_ACT_TRACE' },
} as const satisfies Record<string, Outcome>;

const EPERM = 1;
const EAFNOSUPPORT = 97;
const ARCHITECTURES = { x86_64: 'SCMP_ARCH_X86_64', aarch64: 'SCMP_ARCH_AARCH64' };

export type NoSuchCall = keyof typeof NO_SUCH_CALL;

/** The value of `linux.seccomp`. */
export function ociSeccomp(architecture: Architecture, noSuchCall: NoSuchCall): object {
  const refused = REFUSED.filter((each) => each[architecture] !== null).map(({ name }) => name);
  const syscalls: Rule[] = [
    rule(EPERM, refused),
    { names: ['clone3'], ...NO_SUCH_CALL[noSuchCall] },
    ...bits(NEW_NAMESPACES).map((flag) =>
      rule(EPERM, ['clone'], { index: 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }),
    ),
    ...TERMINAL_INPUT.map((value) => rule(EPERM, ['ioctl'], { index: 1, value, op: 'SCMP_CMP_EQ' })),
    ...otherFamilies().map((family) => rule(EAFNOSUPPORT, ['socket'], family)),
  ];
  return { defaultAction: 'SCMP_ACT_ALLOW', architectures: [ARCHITECTURES[architecture]], syscalls };
}

function rule(errnoRet: number, names: string[], ...args: Argument[]): Rule {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet, ...(args.length === 0 ? {} : { args }) };
}

function bits(mask: number): number[] {
  return Array.from({ length: 31 }, (_, bit) => 2 ** bit).filter((bit) => (mask & bit) !== 0);
}

// A rule says what is refused: the numbers between those allowed, one by one, then all above.
function otherFamilies(): Argument[] {
  const highest = Math.max(...ADDRESS_FAMILIES);
  const between = Array.from({ length: highest }, (_, family) => family).filter(
    (family) => !ADDRESS_FAMILIES.includes(family),
  );
  return [
    ...between.map((family) => ({ index: 0, value: family, op: 'SCMP_CMP_EQ' })),
    { index: 0, value: highest, op: 'SCMP_CMP_GT' },
  ];
}
