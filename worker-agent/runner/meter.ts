// What the sandboxes of a run use, looked at again and again; heartbeats and the report tell it. Used by the runner.
import { setTimeout as delay } from 'node:timers/promises';
import type { SandboxUsage } from '../../protocol/sandbox-usage.ts';
import { processesOf, usedBy, type ProcessScope, type Used } from '../run-processes.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

export interface Meter {
  /** The sandbox, whose use counts until it is closed. */
  count(sandbox: Sandbox): Sandbox;
  /** Notes what the files of the run take. */
  noteDisk(bytes: number): void;
  /** As of the last look; `cores` since it was told before. */
  usage(): SandboxUsage;
  /** No more looks. */
  close(): void;
}

type Source = () => Promise<Used>;

const LOOK_MS = 1_000;
/** Looking takes at most this share of a processor: without control groups it goes through all processes of the machine. */
const SHARE = 0.005;
const LONGEST_PAUSE_MS = 5_000;
const MIB = 1024 ** 2;

/**
 * Looks until it is closed. The most memory is the most that a look found, not the kernel's own high-water mark: that one counts
 * cached files, so that whoever reads many always reaches the limit.
 */
export function openMeter(scope: ProcessScope): Meter {
  const ended = new AbortController();
  const open = new Set<Sandbox>();
  const seen = new Map<Source, Used>();
  // Sandboxes without a control group are seen as one: by the processes of the run.
  const processes: Source = async () => usedBy(processesOf(scope));
  const sourceOf = ({ used }: Sandbox) => used ?? processes;
  const sources = () => new Set([...open].map(sourceOf));
  const sum = (of: (used: Used) => number) => [...seen.values()].reduce((total, each) => total + of(each), 0);
  let peak = 0;
  let cpuSeconds = 0;
  let diskBytes: number | null = null;
  let lookedAt = performance.now();
  let told = { cpuSeconds, at: lookedAt, cores: 0 };

  async function look(which: Iterable<Source>): Promise<void> {
    for (const source of which) {
      const now = await source().catch(() => null); // what has just ended has no figures
      if (now === null || !sources().has(source)) continue;
      cpuSeconds += Math.max(0, now.cpuSeconds - (seen.get(source)?.cpuSeconds ?? 0));
      seen.set(source, now);
    }
    peak = Math.max(
      peak,
      sum(({ memoryBytes }) => memoryBytes),
    );
    lookedAt = performance.now();
  }

  void (async () => {
    for (let pause = LOOK_MS; !ended.signal.aborted;) {
      await delay(pause, undefined, { signal: ended.signal, ref: false }).catch(() => {});
      const before = process.cpuUsage();
      await look(sources());
      const { user, system } = process.cpuUsage(before);
      const enough = (user + system) / 1000 / SHARE;
      pause = Math.min(Math.max(LOOK_MS, enough), LONGEST_PAUSE_MS);
    }
  })();

  return {
    count(sandbox) {
      open.add(sandbox);
      return {
        ...sandbox,
        async close() {
          const source = sourceOf(sandbox);
          await look([source]);
          open.delete(sandbox);
          if (!sources().has(source)) seen.delete(source);
          await sandbox.close();
        },
      };
    },
    noteDisk(bytes) {
      diskBytes = bytes;
    },
    usage() {
      if (lookedAt > told.at) {
        const seconds = (lookedAt - told.at) / 1000;
        told = { cpuSeconds, at: lookedAt, cores: (cpuSeconds - told.cpuSeconds) / seconds };
      }
      return {
        memoryMib: Math.round(sum(({ memoryBytes }) => memoryBytes) / MIB),
        peakMib: Math.round(peak / MIB),
        cpuSeconds: hundredths(cpuSeconds),
        cores: hundredths(told.cores),
        processes: sum((each) => each.processes),
        diskMib: diskBytes === null ? null : Math.round(diskBytes / MIB),
      };
    },
    close() {
      ended.abort();
    },
  };
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
