// What readings of GPUs mean: which cards may be used, what is worth a warning, when a card is back. Pure; used by watch.ts.
import type { Gpu } from '../../../protocol/local-model.ts';
import type { DriverCard, DriverProcess } from './nvidia-smi.ts';
import type { Failure } from './failure.ts';
import { SERIOUS, type Xid } from './xid.ts';

const FULL = 0.95;
const HOT = 88;
const COOL = 84;
/** Readings in a row until a card is believed to be hot, full, gone silent, or well again. */
const ENOUGH = 3;
/** Less than this is what drivers and displays take, and no stranger. */
const STRANGE_MIB = 512;

export interface Reading {
  at: number;
  cards: readonly DriverCard[];
  unreachable: readonly string[];
  processes: readonly DriverProcess[] | null;
  failure: Failure | null;
  xids: readonly Xid[];
  isOurs(pid: number): boolean;
  /** What our engines should have taken of each GPU, for drivers that do not tell whose memory it is. */
  expected: ReadonlyMap<number, number>;
}

/** A card as it is told, and what has to be remembered of it. */
export interface Judged {
  gpu: Gpu;
  usable: boolean;
  /** What is worth a warning now. */
  warnings: readonly string[];
  bus: string | null;
  /** Why it is not usable. */
  why: string;
  restUntil: number;
  good: number;
  silent: number;
  hot: number;
  growing: number;
}

/** Judges all cards by a reading and what was known before it. Cards that were seen once stay, as lost ones. */
export function judge(before: readonly Judged[], reading: Reading): Judged[] {
  const found = reading.cards.filter((card) => card.totalMib !== null || card.broken !== null);
  const present = found.map((card) => judgeCard(cardBefore(before, card), card, reading));
  const taken = new Set(present.map(({ gpu }) => gpu.index));
  const absent = before
    .filter((known) => !found.some((card) => isSame(known, card)))
    .map((known) => {
      const index = taken.has(known.gpu.index) ? firstFree(taken) : known.gpu.index;
      taken.add(index);
      return judgeAbsent({ ...known, gpu: { ...known.gpu, index } }, reading);
    });
  return [...present, ...absent].toSorted((a, b) => a.gpu.index - b.gpu.index);
}

function isSame(known: Judged, card: DriverCard): boolean {
  if (known.gpu.uuid !== null && card.uuid !== null) return known.gpu.uuid === card.uuid;
  return known.bus !== null && card.bus !== null ? known.bus === card.bus : known.gpu.index === card.index;
}

function cardBefore(before: readonly Judged[], card: DriverCard): Judged | undefined {
  return before.find((known) => isSame(known, card));
}

function firstFree(taken: ReadonlySet<number>): number {
  let index = 0;
  while (taken.has(index)) index += 1;
  return index;
}

// A single answer that fails to come says little: nvidia-smi is slow while a driver is loaded.
function judgeAbsent(known: Judged, { unreachable, failure, cards, xids, at }: Reading): Judged {
  const fallen = known.bus !== null && unreachable.includes(known.bus);
  const silent = known.silent + 1;
  const fatal = seriousXid(known.bus, xids);
  if (!fallen && !fatal && cards.length === 0 && silent < ENOUGH) return { ...known, silent };
  const why = fallen
    ? 'It has fallen off the bus. Restart the machine; when it happens again, look at power, cooling and seating of the card.'
    : cards.length > 0 || failure === null
      ? 'The driver does not list it any more.'
      : `${failure.detail} ${failure.remedy}`;
  const restUntil = fatal === undefined ? known.restUntil : at + fatal.restMs;
  const gpu = { ...known.gpu, xid: fatal?.code ?? known.gpu.xid };
  return lost({ ...known, gpu, silent, good: 0, restUntil }, why);
}

function lost(known: Judged, why: string): Judged {
  const gpu: Gpu = {
    ...known.gpu,
    usedMib: null,
    foreignMib: null,
    utilisation: null,
    temperature: null,
    watts: null,
    state: 'lost',
    detail: why,
  };
  return { ...known, gpu, usable: false, why, warnings: [] };
}

function judgeCard(known: Judged | undefined, card: DriverCard, reading: Reading): Judged {
  const fatal = seriousXid(card.bus, reading.xids);
  const xid = reading.xids.findLast(({ bus }) => bus === card.bus)?.code ?? known?.gpu.xid ?? null;
  const used = card.usedMib ?? 0;
  const total = card.totalMib ?? known?.gpu.totalMib ?? 0;
  const full = used >= FULL * total;
  const stillFull = full && known?.warnings.includes('full') === true;
  const next: Judged = {
    gpu: {
      index: card.index,
      name: card.name,
      uuid: card.uuid,
      totalMib: Math.round(total),
      usedMib: card.usedMib === null ? null : Math.round(used),
      foreignMib: card.usedMib === null ? null : foreign(card, reading),
      utilisation: card.utilisation,
      temperature: card.temperature,
      watts: card.watts,
      eccErrors: card.eccErrors,
      xid,
      state: 'ok',
      detail: '',
    },
    bus: card.bus,
    usable: known?.usable ?? true,
    why: known?.why ?? '',
    warnings: [],
    restUntil: fatal === undefined ? (known?.restUntil ?? 0) : reading.at + fatal.restMs,
    good: (known?.good ?? 0) + 1,
    silent: 0,
    hot: (card.temperature ?? 0) >= HOT ? (known?.hot ?? 0) + 1 : 0,
    growing: full && used > (known?.gpu.usedMib ?? used) ? (known?.growing ?? 0) + 1 : 0,
  };
  if (card.broken !== null)
    return lost({ ...next, good: 0 }, `The driver says "${card.broken}". Restart the machine.`);
  if (fatal !== undefined) {
    const rest = fatal.restMs === 0 ? 'a moment' : `${fatal.restMs / 60_000} minutes`;
    const why = `Xid ${fatal.code}: the driver tells of ${fatal.what}. It is left alone for ${rest}; when this repeats: \`nvidia-smi --gpu-reset -i ${card.index}\`.`;
    return lost({ ...next, good: 0 }, why);
  }
  const rested = next.good >= ENOUGH && reading.at >= next.restUntil;
  if (!next.usable && !rested) return lost(next, next.why);

  const stillHot = known?.warnings.includes('hot') === true && (card.temperature ?? 0) > COOL;
  const strange = next.gpu.foreignMib ?? 0;
  const warnings: [kind: string, text: string][] = [
    ...(stillFull || next.growing >= 2
      ? [
          ['full', `${next.gpu.usedMib} of ${next.gpu.totalMib} MiB are taken, and it was growing`] as [
            string,
            string,
          ],
        ]
      : []),
    ...(next.hot >= ENOUGH || stillHot
      ? [['hot', `${card.temperature} °C: look at its fans and the air around it`] as [string, string]]
      : []),
    ...((card.eccErrors ?? 0) > 0
      ? [
          [
            'ecc',
            `${card.eccErrors} memory errors that could not be corrected since the driver was loaded`,
          ] as [string, string],
        ]
      : []),
    ...(strange >= STRANGE_MIB
      ? [['stranger', `${strange} MiB are taken by ${strangers(card, reading)}`] as [string, string]]
      : []),
  ];
  return {
    ...next,
    usable: true,
    why: '',
    warnings: warnings.map(([kind]) => kind),
    gpu: {
      ...next.gpu,
      state: warnings.length === 0 ? 'ok' : 'warning',
      detail: warnings.map(([, text]) => text).join('; '),
    },
  };
}

function seriousXid(bus: string | null, xids: readonly Xid[]) {
  const xid = xids.findLast((each) => each.bus === bus && each.code in SERIOUS);
  return xid === undefined ? undefined : { ...xid, ...SERIOUS[xid.code]! };
}

function foreign(card: DriverCard, reading: Reading): number {
  const { processes, isOurs, expected } = reading;
  const ours =
    processes === null
      ? (expected.get(card.index) ?? 0)
      : sum(processes.filter(({ uuid, pid }) => uuid === card.uuid && isOurs(pid)));
  return Math.max(0, Math.round((card.usedMib ?? 0) - ours));
}

function strangers(card: DriverCard, { processes, isOurs }: Reading): string {
  const pids =
    processes?.filter(({ uuid, pid }) => uuid === card.uuid && !isOurs(pid)).map(({ pid }) => pid) ?? [];
  if (pids.length === 0) return 'what is no engine of the appliance';
  return `${pids.length === 1 ? 'process' : 'processes'} ${pids.join(', ')}, no engine of the appliance`;
}

function sum(processes: readonly DriverProcess[]): number {
  return processes.reduce((total, { usedMib }) => total + usedMib, 0);
}

/** A card that the configuration declares: nobody is asked about it. */
export function declaredCard({ name, totalMib }: { name: string; totalMib: number }, index: number): Judged {
  const unknown = {
    uuid: null,
    usedMib: null,
    foreignMib: null,
    utilisation: null,
    temperature: null,
    watts: null,
    eccErrors: null,
    xid: null,
  };
  const gpu: Gpu = {
    index,
    name,
    totalMib,
    ...unknown,
    state: 'ok',
    detail: 'declared in models.local.gpus',
  };
  const counts = { restUntil: 0, good: 0, silent: 0, hot: 0, growing: 0 };
  return { gpu, usable: true, warnings: [], bus: null, why: '', ...counts };
}
