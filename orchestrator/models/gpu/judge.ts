// What readings of GPUs mean: which cards may be used, and when a card is back. Pure; used by watch.ts.
import type { Gpu } from '../../../protocol/local-model.ts';
import type { Failure, FailureKind } from './failure.ts';
import type { DriverCard, DriverProcess } from './nvidia-smi.ts';
import { foreignMib } from './owners.ts';
import { warningsOf } from './warnings.ts';
import { SERIOUS, type Xid } from './xid.ts';

/** Readings in a row until a card that was lost is believed to be well, or an answer that does not come to mean something. */
const ENOUGH = 3;
/** With these no engine can run; with other failures only nobody tells how the cards are, and engines that run are left alone. */
const NOTHING_RUNS: readonly FailureKind[] = ['no-driver', 'no-devices'];

export interface Reading {
  at: number;
  cards: readonly DriverCard[];
  unreachable: readonly string[];
  processes: readonly DriverProcess[] | null;
  failure: Failure | null;
  xids: readonly Xid[];
  isOurs(pid: number): boolean;
  /** What our engines should have taken of each GPU beside what the processes tell. */
  expected: ReadonlyMap<number, number>;
}

/** A card as it is told, and what has to be remembered of it. */
export interface Judged {
  gpu: Gpu;
  usable: boolean;
  /** Kinds of what is worth a warning now. */
  warnings: readonly string[];
  bus: string | null;
  /** Not used before, after a serious Xid. */
  restUntil: number;
  /** Readings in a row: good ones, such without an answer, hot ones, such with less and less memory free. */
  good: number;
  silent: number;
  hot: number;
  growing: number;
}

/** Judges all cards by a reading and what was known before it. Cards that were seen once stay, as lost ones. */
export function judge(before: readonly Judged[], reading: Reading): Judged[] {
  const found = reading.cards.filter((card) => card.totalMib !== null || card.broken !== null);
  const present = found.map((card) =>
    judgeCard(
      before.find((known) => isSame(known, card)),
      card,
      reading,
    ),
  );
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

function firstFree(taken: ReadonlySet<number>): number {
  let index = 0;
  while (taken.has(index)) index += 1;
  return index;
}

function judgeAbsent(known: Judged, { unreachable, failure, cards, xids, at }: Reading): Judged {
  const fatal = seriousXid(known.bus, xids);
  const next: Judged = {
    ...known,
    gpu: { ...known.gpu, xid: fatal?.code ?? known.gpu.xid },
    silent: known.silent + 1,
    restUntil: fatal === undefined ? known.restUntil : at + fatal.restMs,
  };
  if (known.bus !== null && unreachable.includes(known.bus))
    return lost(
      next,
      'It has fallen off the bus. Restart the machine; when it happens again, look at its power, cooling and seating.',
    );
  if (fatal !== undefined) return lost(next, whatNow(fatal, known.gpu.index));
  if (failure === null || cards.length > 0) return lost(next, 'The driver does not list it any more.');
  // A single answer that fails to come says little: nvidia-smi is slow while a driver is loaded.
  if (next.silent < ENOUGH) return next;
  const detail = `${failure.detail} ${failure.remedy}`;
  if (!known.usable || NOTHING_RUNS.includes(failure.kind)) return lost(next, detail);
  const gpu: Gpu = {
    ...next.gpu,
    utilisation: null,
    temperature: null,
    watts: null,
    state: 'warning',
    detail,
  };
  return { ...next, gpu, warnings: ['blind'] };
}

function judgeCard(known: Judged | undefined, card: DriverCard, reading: Reading): Judged {
  const fatal = seriousXid(card.bus, reading.xids);
  const lastXid = reading.xids.findLast(({ bus }) => bus === card.bus)?.code;
  const { index, name, uuid, utilisation, temperature, watts, eccErrors } = card;
  const next: Judged = {
    gpu: {
      index,
      name,
      uuid,
      totalMib: Math.round(card.totalMib ?? known?.gpu.totalMib ?? 0),
      usedMib: card.usedMib === null ? null : Math.round(card.usedMib),
      foreignMib: foreignMib(card, reading),
      utilisation,
      temperature,
      watts,
      eccErrors,
      xid: lastXid ?? known?.gpu.xid ?? null,
      state: 'ok',
      detail: '',
    },
    usable: true,
    warnings: [],
    bus: card.bus,
    restUntil: fatal === undefined ? (known?.restUntil ?? 0) : reading.at + fatal.restMs,
    good: (known?.good ?? 0) + 1,
    silent: 0,
    hot: 0,
    growing: 0,
  };
  if (card.broken !== null) return lost(next, `The driver says "${card.broken}". Restart the machine.`);
  if (fatal !== undefined) return lost(next, whatNow(fatal, index));
  if (known?.usable === false && (next.good < ENOUGH || reading.at < next.restUntil))
    return { ...lost(next, known.gpu.detail), good: next.good };
  const { hot, growing, warnings } = warningsOf(known, next.gpu, card, reading);
  const state = warnings.length === 0 ? 'ok' : 'warning';
  const gpu: Gpu = { ...next.gpu, state, detail: warnings.map(([, text]) => text).join('; ') };
  return { ...next, gpu, hot, growing, warnings: warnings.map(([kind]) => kind) };
}

function lost(known: Judged, detail: string): Judged {
  const unknown = { usedMib: null, foreignMib: null, utilisation: null, temperature: null, watts: null };
  const gpu: Gpu = { ...known.gpu, ...unknown, state: 'lost', detail };
  return { ...known, gpu, usable: false, warnings: [], good: 0 };
}

type SeriousXid = Xid & (typeof SERIOUS)[number];

function seriousXid(bus: string | null, xids: readonly Xid[]): SeriousXid | undefined {
  const xid = xids.findLast((each) => each.bus === bus && each.code in SERIOUS);
  return xid === undefined ? undefined : { ...xid, ...SERIOUS[xid.code]! };
}

function whatNow({ code, what, restMs }: SeriousXid, index: number): string {
  const rest = restMs === 0 ? 'a moment' : `${restMs / 60_000} minutes`;
  return `Xid ${code}: the driver tells of ${what}. It is left alone for ${rest}; when this repeats: \`nvidia-smi --gpu-reset -i ${index}\`.`;
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
  return { gpu, usable: true, warnings: [], bus: null, restUntil: 0, good: 0, silent: 0, hot: 0, growing: 0 };
}
