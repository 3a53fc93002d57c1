// Errors of GPUs that the driver writes into the kernel's log ("Xid"): read from /dev/kmsg, or from the journal where only that
// is readable; nothing is told where neither is. Used by watch.ts. Numbers: NVIDIA's "XID Errors".
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { execa } from 'execa';
import { pciAddress } from './pci.ts';

const JOURNAL_MS = 5_000;
const MINUTE = 60_000;

export interface Xid {
  /** As pciAddress writes it. */
  bus: string;
  code: number;
  text: string;
}

/** Errors after which a card is not used, and how long it is left alone: those that NVIDIA says are contained are over when the program has ended. */
export const SERIOUS: Readonly<Record<number, { what: string; restMs: number }>> = {
  48: { what: 'an uncorrectable memory error', restMs: 10 * MINUTE },
  63: { what: 'a part of its memory that is put out of use', restMs: 0 },
  64: { what: 'a part of its memory that cannot be put out of use', restMs: 10 * MINUTE },
  74: { what: 'an error of its NVLink', restMs: 10 * MINUTE },
  79: { what: 'that it has fallen off the bus', restMs: 10 * MINUTE },
  94: { what: 'a contained memory error', restMs: 0 },
  95: { what: 'an uncontained memory error', restMs: 10 * MINUTE },
};

/** What a line of the kernel's log says of a GPU. */
export function xidIn(line: string): Xid | undefined {
  const [, bus, code, text = ''] = /NVRM: Xid \(PCI:([0-9a-f:.]+)\): (\d+)(?:, (.*))?/i.exec(line) ?? [];
  if (bus !== undefined) return { bus: pciAddress(bus), code: Number(code), text: text.trim() };
  // Some drivers tell the loss of a card without a number.
  const [, fallen] =
    /NVRM: GPU (?:at PCI:)?([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\S*?):? GPU has fallen off the bus/i.exec(
      line,
    ) ?? [];
  return fallen === undefined
    ? undefined
    : { bus: pciAddress(fallen), code: 79, text: 'GPU has fallen off the bus.' };
}

export interface KernelLog {
  /** What has come since the last call; from the opening on. */
  xids(): Promise<Xid[]>;
  close(): void;
}

/** Opens the log at its end. */
export function openKernelLog(device = '/dev/kmsg', journalctl = 'journalctl'): KernelLog {
  const read = readDevice(device) ?? readJournal(journalctl);
  return {
    xids: async () =>
      (await read.text())
        .split('\n')
        .map(xidIn)
        .filter((xid) => xid !== undefined),
    close: () => read.close?.(),
  };
}

interface Source {
  text(): Promise<string> | string;
  close?(): void;
}

// One read gives one record; EAGAIN says that there is no more, EPIPE that some were overwritten before they were read.
function readDevice(device: string): Source | undefined {
  let file: number;
  try {
    file = openSync(device, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const buffer = Buffer.alloc(16 * 1024);
  const text = () => {
    let all = '';
    for (;;) {
      try {
        const length = readSync(file, buffer);
        if (length === 0) return all;
        all += buffer.toString('utf8', 0, length);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EPIPE') return all;
      }
    }
  };
  text();
  return { text, close: () => closeSync(file) };
}

function readJournal(journalctl: string): Source {
  let last = Date.now() / 1000;
  return {
    text: async () => {
      const words = ['-k', '-q', '--no-pager', '-o', 'short-unix', '--since', `@${Math.floor(last)}`];
      const { stdout, failed } = await execa(journalctl, words, {
        reject: false,
        stdin: 'ignore',
        timeout: JOURNAL_MS,
      });
      if (failed) return '';
      // The time that it is asked for is one of whole seconds.
      const lines = stdout.split('\n').filter((line) => Number.parseFloat(line) > last);
      last = Math.max(last, Number.parseFloat(lines.at(-1) ?? '0'));
      return lines.join('\n');
    },
  };
}
