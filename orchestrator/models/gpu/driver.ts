// All that can be asked about the GPUs, as one answer: nvidia-smi, the kernel's log, and systeminformation where nvidia-smi does not
// understand. Used by watch.ts.
import { askGraphics } from './graphics.ts';
import { nvidiaSmi, type DriverAnswer } from './nvidia-smi.ts';
import { openKernelLog, type KernelLog, type Xid } from './xid.ts';

export interface Driver {
  ask(known: readonly string[]): Promise<DriverAnswer & { xids: Xid[] }>;
  close(): void;
}

/** Opens the kernel's log once there are cards that it could speak of. */
export function openDriver(
  program: string,
  signal: AbortSignal,
  kernelLog: () => KernelLog = openKernelLog,
): Driver {
  const ask = nvidiaSmi(program);
  let log: KernelLog | undefined;
  return {
    ask: async (known) => {
      const answer = await ask(known, signal);
      const { failure } = answer;
      if (failure?.kind === 'too-old' || failure?.kind === 'unreadable') {
        answer.cards = await askGraphics(signal);
        if (answer.cards.length > 0) answer.failure = null;
      }
      if (answer.cards.length > 0) log ??= kernelLog();
      return { ...answer, xids: (await log?.xids()) ?? [] };
    },
    close: () => log?.close(),
  };
}
