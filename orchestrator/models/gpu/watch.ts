// Looks at the GPUs every few seconds: tells the supervisor which it may use and how much memory strangers have, keeps it for
// all others, warns. Used by the supervisor.
import type { Gpu } from '../../../protocol/local-model.ts';
import type { LocalModels } from '../../config/local-model-settings.ts';
import type { Database } from '../../db/connect.ts';
import type { Card } from '../residency/state.ts';
import { openDriver, type Driver } from './driver.ts';
import { declaredCard, judge, type Judged } from './judge.ts';
import type { DriverProcess } from './nvidia-smi.ts';
import { belongsTo, expectedMib } from './owners.ts';
import { keepGpus } from './store.ts';
import type { KernelLog } from './xid.ts';

const BUSY_MS = 2_000;
const IDLE_MS = 10_000;
/** When somebody waits for the next reading. */
const AWAITED_MS = 250;

export interface GpuWatch {
  /** For placements; empty before the first reading. */
  cards(): Card[];
  gpus(): Gpu[];
  /** Memory of these processes, their groups and children, by index of the GPU; empty where the driver does not tell. */
  usedMib(pids: ReadonlySet<number>): Map<number, number>;
  /** Resolves with the next reading, which is brought forward. */
  changed(): Promise<void>;
  stop(): Promise<void>;
}

export interface GpuWatchParts {
  settings: Pick<LocalModels, 'nvidiaSmi' | 'gpus'>;
  db: Database;
  /** Processes of our engines. */
  own(): ReadonlySet<number>;
  warn(message: string): void;
  kernelLog?: () => KernelLog;
}

/** Starts to look. Nothing that goes wrong ends it: it is told once, and looked at again. */
export function startGpuWatch({ settings, db, own, warn, kernelLog }: GpuWatchParts): GpuWatch {
  const stopping = new AbortController();
  const driver =
    settings.gpus === undefined ? openDriver(settings.nvidiaSmi, stopping.signal, kernelLog) : undefined;
  const rest = pauses(stopping.signal);
  let judged: Judged[] = (settings.gpus ?? []).map(declaredCard);
  let processes: readonly DriverProcess[] | null = null;
  let expected: ReadonlyMap<number, number> = new Map();
  let next = Promise.withResolvers<void>();
  let told: string | null = null;
  const tell = (message: string | null) => {
    if (message !== null && message !== told) warn(message);
    told = message;
  };

  const look = async () => {
    const problem = driver === undefined ? null : await ask(driver);
    const kept = judged.map(({ gpu, warnings }) => ({ ...gpu, warnings: [...warnings] }));
    const changed = stopping.signal.aborted ? [] : await keepGpus(db, kept, problem);
    for (const [kind, { index, detail }] of changed)
      warn(`${kind}: GPU ${index}${detail === '' ? '' : `: ${detail}`}`);
    tell(problem);
  };

  const ask = async (open: Driver): Promise<string | null> => {
    const answer = await open.ask(judged.flatMap(({ gpu }) => gpu.uuid ?? []));
    if (stopping.signal.aborted) return null;
    const leaders = own();
    // In a container the driver lists no processes, though ours are there.
    processes = answer.processes?.length === 0 && leaders.size > 0 ? null : answer.processes;
    expected = await expectedMib(db, processes !== null).catch(() => expected);
    judged = judge(judged, { ...answer, at: Date.now(), processes, isOurs: belongsTo(leaders), expected });
    const { failure } = answer;
    return failure === null ? null : `${failure.detail} ${failure.remedy}`;
  };

  const rounds = async () => {
    while (!stopping.signal.aborted) {
      await look().catch((error) => tell(`The GPUs could not be looked at: ${String(error)}`));
      const done = next;
      next = Promise.withResolvers();
      done.resolve();
      await rest.pause(own().size > 0 ? BUSY_MS : IDLE_MS);
    }
    next.resolve();
  };

  const running = rounds();
  return {
    cards: () =>
      judged.map(({ gpu, usable }) => ({
        index: gpu.index,
        totalMib: gpu.totalMib,
        foreignMib: gpu.foreignMib ?? 0,
        usable,
      })),
    gpus: () => judged.map(({ gpu }) => gpu),
    usedMib: (pids) => {
      const isOne = belongsTo(pids);
      const sums = new Map<number, number>();
      for (const { uuid, pid, usedMib } of processes ?? []) {
        const index = judged.find(({ gpu }) => gpu.uuid === uuid)?.gpu.index;
        if (index !== undefined && isOne(pid)) sums.set(index, (sums.get(index) ?? 0) + usedMib);
      }
      return sums;
    },
    changed: async () => {
      const coming = next.promise;
      rest.shorten(AWAITED_MS);
      await coming;
    },
    stop: async () => {
      stopping.abort();
      await running;
      driver?.close();
    },
  };
}

/** Pauses that end early when somebody waits, counted from their beginning, or at once when all ends. */
function pauses(signal: AbortSignal): { pause(ms: number): Promise<void>; shorten(ms: number): void } {
  let longest = Infinity;
  let began = 0;
  let timer: NodeJS.Timeout | undefined;
  let end: () => void = () => {};
  signal.addEventListener('abort', () => end());
  const within = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(end, Math.max(0, ms - (Date.now() - began)));
  };
  return {
    pause: async (ms) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      end = resolve;
      began = Date.now();
      within(Math.min(ms, longest));
      if (!signal.aborted) await promise;
      clearTimeout(timer);
      timer = undefined;
      longest = Infinity;
    },
    shorten: (ms) => {
      longest = ms;
      if (timer !== undefined) within(ms);
    },
  };
}
