// nvidia-smi asked and understood: the one file that needs a card. Used by watch.ts, which asks again and again.
// Forms of the answers: NVIDIA's manual page of nvidia-smi; testing/recorded/ has examples.
import { execa } from 'execa';
import { whatFailed, type Failure } from './failure.ts';
import { pciAddress } from './pci.ts';

const LIMIT_MS = 5_000;
const FIELDS = [
  'index',
  'uuid',
  'name',
  'pci.bus_id',
  'memory.total',
  'memory.used',
  'utilization.gpu',
  'temperature.gpu',
  'power.draw',
  'ecc.errors.uncorrected.volatile.total',
];
const FORMAT = '--format=csv,noheader,nounits';

/** One GPU as the driver tells of it; null where it does not say. */
export interface DriverCard {
  index: number;
  uuid: string | null;
  name: string;
  /** As pciAddress writes it. */
  bus: string | null;
  totalMib: number | null;
  usedMib: number | null;
  utilisation: number | null;
  temperature: number | null;
  watts: number | null;
  eccErrors: number | null;
  /** What the driver says in place of values, as `GPU is lost`; null for a card that answers. */
  broken: string | null;
}

export interface DriverProcess {
  uuid: string;
  pid: number;
  usedMib: number;
}

export interface DriverAnswer {
  cards: DriverCard[];
  /** Addresses of cards that the driver knows and does not reach. */
  unreachable: string[];
  /** Null where the driver does not tell whose memory it is: in containers, for one. */
  processes: DriverProcess[] | null;
  failure: Failure | null;
}

/** Asks the program; never two at a time. `known`: cards that are asked for one by one when another spoils the answer. */
export type AskDriver = (known: readonly string[], signal: AbortSignal) => Promise<DriverAnswer>;

/** The way to ask this program. */
export function nvidiaSmi(program: string, limitMs = LIMIT_MS): AskDriver {
  let hanging: Promise<unknown> | undefined;
  const run = async (words: string[], signal: AbortSignal): Promise<Output> => {
    if (hanging !== undefined) return { text: '', failure: whatFailed({ program, timedOut: true }) };
    const child = execa(program, [...words, FORMAT], {
      all: true,
      cancelSignal: signal,
      killDescendants: true,
      killSignal: 'SIGKILL',
      reject: false,
      stdin: 'ignore',
      timeout: limitMs,
    });
    // One that waits for a broken card inside the kernel does not even die of SIGKILL: it is left behind, and none is started beside it.
    const late = Symbol('late');
    const result = await Promise.race([child, after(limitMs + 500, late)]);
    if (result === late) {
      hanging = child.finally(() => (hanging = undefined));
      child.nodeChildProcess.unref();
      return { text: '', failure: whatFailed({ program, timedOut: true }) };
    }
    const { all: text, exitCode, timedOut, code } = result;
    const failed = result.failed ? whatFailed({ program, text, exitCode, timedOut, code }) : null;
    return { text, failure: failed };
  };

  return async (known, signal) => {
    const gpus = await run([`--query-gpu=${FIELDS.join(',')}`], signal);
    const answer: DriverAnswer = { ...readCards(gpus.text), processes: null, failure: gpus.failure };
    if (answer.cards.length === 0 && answer.unreachable.length > 0) {
      for (const uuid of known) {
        const { text } = await run([`--query-gpu=${FIELDS.join(',')}`, '-i', uuid], signal);
        answer.cards.push(...readCards(text).cards);
      }
    }
    if (answer.cards.length === 0)
      return { ...answer, failure: gpus.failure ?? whatFailed({ program, text: gpus.text, exitCode: 0 }) };
    const apps = await run(['--query-compute-apps=gpu_uuid,pid,used_memory'], signal);
    return { ...answer, failure: null, processes: readProcesses(apps) };
  };
}

interface Output {
  text: string;
  failure: Failure | null;
}

async function after<T>(ms: number, value: T): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  setTimeout(() => resolve(value), ms).unref();
  return await promise;
}

/** Rows of cards, and messages about those that are out of reach: newer drivers mix them, older ones tell the message alone. */
export function readCards(text: string): Pick<DriverAnswer, 'cards' | 'unreachable'> {
  const cards: DriverCard[] = [];
  const unreachable: string[] = [];
  for (const line of text.split('\n')) {
    const values = line.split(',').map((value) => value.trim());
    const [, address] =
      /^Unable to determine the device handle.*?([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2})/i.exec(line) ?? [];
    if (address !== undefined) unreachable.push(pciAddress(address));
    if (values.length === FIELDS.length && /^\d+$/.test(values[0]!)) cards.push(card(values));
  }
  return { cards, unreachable };
}

function card(values: string[]): DriverCard {
  const [index, uuid, name, bus, total, used, utilisation, temperature, watts, ecc] = values as [
    string,
    ...string[],
  ];
  return {
    index: Number(index),
    uuid: uuid?.startsWith('GPU-') ? uuid : null,
    name: name === undefined || name.startsWith('[') ? 'GPU' : name,
    bus: bus === undefined || bus.startsWith('[') ? null : pciAddress(bus),
    totalMib: numberIn(total),
    usedMib: numberIn(used),
    utilisation: numberIn(utilisation),
    temperature: numberIn(temperature),
    watts: numberIn(watts),
    eccErrors: numberIn(ecc),
    // Other values are at times not to be had of a sound card.
    broken: /^\[(.*(?:lost|reset|unknown error|fallen).*)\]$/i.exec(used ?? '')?.[1] ?? null,
  };
}

// `[N/A]`, `[Not Supported]`, `ERR!` and what else stands in place of a number.
function numberIn(value: string | undefined): number | null {
  return value !== undefined && /^\d+(\.\d+)?$/.test(value) ? Number(value) : null;
}

function readProcesses({ text, failure }: Output): DriverProcess[] | null {
  if (failure !== null) return null;
  const rows = text.split('\n').filter((line) => line.trim() !== '');
  const processes = rows.map((row) => {
    const [uuid = '', pid, used] = row.split(',').map((value) => value.trim());
    return { uuid, pid: numberIn(pid), usedMib: numberIn(used) };
  });
  const told = processes.filter((each): each is DriverProcess => each.pid !== null && each.usedMib !== null);
  return told.length === rows.length ? told : null;
}
