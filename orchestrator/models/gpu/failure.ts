// What it means when nvidia-smi does not tell of the GPUs, and what to do. Used by nvidia-smi.ts.

export type FailureKind =
  | 'missing'
  | 'hangs'
  | 'mismatch'
  | 'no-driver'
  | 'no-devices'
  | 'lost'
  | 'denied'
  | 'too-old'
  | 'unreadable';

export interface Failure {
  kind: FailureKind;
  detail: string;
  remedy: string;
}

/** How the program ended. */
export interface Ending {
  program: string;
  text?: string;
  exitCode?: number | undefined;
  timedOut?: boolean;
  /** Of the system, when the program could not be started. */
  code?: string | undefined;
}

const MESSAGES: [pattern: RegExp, kind: FailureKind, detail: string, remedy: string][] = [
  [
    /driver\/library version mismatch/i,
    'mismatch',
    'The NVIDIA driver was upgraded while the kernel still runs the old one: engines that run go on, new ones cannot start.',
    'Restart the machine; or stop all engines, then `rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia` and `modprobe nvidia`.',
  ],
  [
    /couldn't communicate with the NVIDIA driver|driver is not loaded/i,
    'no-driver',
    'The NVIDIA driver is not loaded.',
    'Load it: `modprobe nvidia`. After an upgrade of the kernel it has to be built again: `dkms autoinstall`.',
  ],
  [
    /no devices were found/i,
    'no-devices',
    'The NVIDIA driver finds no GPU.',
    'Look whether `lspci -d 10de:` shows them and what `dmesg | grep NVRM` says; power, seating and riser are next.',
  ],
  [
    /is lost|fallen off the bus|unable to determine the device handle/i,
    'lost',
    'A GPU has fallen off the bus.',
    'Restart the machine. When it happens again: look at power, cooling and seating of the card.',
  ],
  [
    /insufficient permissions|permission denied/i,
    'denied',
    'The daemon may not use the GPUs.',
    'Give its user access to /dev/nvidia*: `ls -l /dev/nvidia*` shows the group to add it to.',
  ],
  [
    /is not a valid (field|combination)|invalid combination of input/i,
    'too-old',
    'This version of nvidia-smi does not know the question.',
    'Upgrade the NVIDIA driver to 470 or later.',
  ],
];

/** Puts the end of nvidia-smi into words. */
export function whatFailed({ program, text = '', exitCode, timedOut = false, code }: Ending): Failure {
  if (timedOut)
    return {
      kind: 'hangs',
      detail: `${program} does not answer: a GPU or its driver hangs.`,
      remedy:
        'See `dmesg | grep -e NVRM -e Xid`; reset the card (`nvidia-smi --gpu-reset`) or restart the machine.',
    };
  if (code === 'ENOENT' || code === 'EACCES')
    return {
      kind: 'missing',
      detail: `${program} cannot be started: ${code === 'ENOENT' ? 'it is not there' : 'it may not be executed'}.`,
      remedy:
        'Install the NVIDIA driver, say in models.local.nvidiaSmi where it is, or declare the GPUs in models.local.gpus.',
    };
  for (const [pattern, kind, detail, remedy] of MESSAGES)
    if (pattern.test(text)) return { kind, detail: `${detail} (${firstLine(text)})`, remedy };
  return {
    kind: 'unreadable',
    detail: `${program} ended with ${exitCode ?? code ?? 'a signal'} and said ${text.trim() === '' ? 'nothing' : `"${firstLine(text)}"`}.`,
    remedy: `Run \`${program}\` by hand, as the user of the daemon.`,
  };
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]!.slice(0, 200);
}
