// What each run or key has in hand: calls draw on its slab in memory, and only when that is used up are the budgets asked again.
// Whatever calls there are at once, no more is promised to them than was reserved. Used by the gateway.
import { randomUUID } from 'node:crypto';
import type { Budget } from '../../protocol/budget.ts';
import type { Queryable } from '../db/connect.ts';
import { covers, eachUnit, least, minus, NO_AMOUNTS, plus, type Amounts } from './amounts.ts';
import type { Payers } from './payers.ts';
import { leftOf } from './limits.ts';
import { release, renewSlabs, reserveAll, type Reservation, type Reserved } from './slabs.ts';

/** What a call may cost at most; given back, but for what it did cost, when it is settled. */
export interface Hold {
  slab: string;
  amounts: Amounts;
  /** Takes the hold off again; `spent` is what the writer draws on the slab. */
  settle(spent: Amounts): void;
}

/** `bound`: some budget binds the call. `near`: a budget that has come to 80, 90, 95 or 99 %, told once each. */
export type Admission = { hold: Hold; bound: boolean; near?: Near } | { refused: Budget };

export interface Near {
  budget: Budget;
  percent: number;
  left: number;
}

export interface Purses {
  /**
   * Holds `want` for a call of this run or key, or as much of it as there is, if that is `least`; else the budget that
   * refuses. The first call of a run, and one that finds its slab used up, costs a transaction.
   */
  admit(id: string, payers: Payers, want: Amounts, least: Amounts): Promise<Admission>;
  /** Renews the slabs that are in use and gives back those that were not for a while, or whose run has ended. */
  tend(): Promise<void>;
  /** Gives everything back. */
  close(): Promise<void>;
}

interface Purse {
  slab: string;
  payers: Payers;
  left: Amounts;
  /** Calls that have a part of it, and that ask for one. */
  holds: number;
  asking: number;
  /** Whether `budgets` are known. */
  asked: boolean;
  usedAt: number;
  /** What binds it, and what of that is left to others. */
  budgets: { budget: Budget; elsewhere: number }[];
  /** The highest of LEVELS that was told. */
  told: number;
  /** Calls ask for more one after the other. */
  turn: Promise<unknown>;
}

const IDLE_MS = 30_000;
/**
 * A slab is so many times what the call that needs it may cost; more where that is next to nothing of what the budgets leave.
 * Not many more: after a crash all of it is charged.
 */
const CALLS_A_SLAB = 2;
const CALLS_IN_PLENTY = 8;
const PLENTY = 100;
const LEVELS = [99, 95, 90, 80];

/** The purses of one gateway process. */
export function openPurses(db: Queryable, timeZone: string): Purses {
  const owner = randomUUID();
  const purses = new Map<string, Purse>();
  const reserved = together(db);

  const purseOf = (id: string, payers: Payers): Purse => {
    const known = purses.get(id);
    if (known !== undefined) return known;
    const purse: Purse = {
      slab: randomUUID(),
      payers,
      left: { ...NO_AMOUNTS },
      holds: 0,
      asking: 0,
      asked: false,
      usedAt: performance.now(),
      budgets: [],
      told: 0,
      turn: Promise.resolve(),
    };
    purses.set(id, purse);
    return purse;
  };

  const admitted = (purse: Purse, amounts: Amounts): Admission => {
    const near = nearest(purse);
    const admission = { hold: take(purse, amounts), bound: purse.budgets.length > 0 };
    return near === undefined ? admission : { ...admission, near };
  };

  const take = (purse: Purse, amounts: Amounts): Hold => {
    purse.left = minus(purse.left, amounts);
    purse.holds += 1;
    const { slab } = purse;
    let settled = false;
    return {
      slab,
      amounts,
      settle(spent) {
        if (settled) return;
        settled = true;
        purse.holds -= 1;
        purse.usedAt = performance.now();
        // A slab that was closed meanwhile has given its rest back already.
        if (purse.slab === slab) purse.left = plus(purse.left, minus(amounts, spent));
      },
    };
  };

  const enlarge = async (id: string, payers: Payers, want: Amounts, floor: Amounts): Promise<Admission> => {
    for (;;) {
      const purse = purseOf(id, payers);
      if (covers(purse.left, want)) return admitted(purse, want);
      const missing = (amounts: Amounts) => eachUnit((unit) => Math.max(0, amounts[unit] - purse.left[unit]));
      const answer = await reserved({
        slab: purse.slab,
        owner,
        payers,
        timeZone,
        want: missing(eachUnit((unit) => want[unit] * callsOf(purse, want))),
        least: missing(floor),
      });
      if (answer === 'gone') {
        if (purses.get(id) === purse) purses.delete(id);
        continue;
      }
      if ('refused' in answer) {
        const { refused } = answer; // what this purse holds is its own to spend
        return { refused: { ...refused, held: refused.held - purse.left[refused.unit] } };
      }
      purse.left = plus(purse.left, answer.granted);
      purse.asked = true;
      purse.budgets = answer.budgets.map((budget) => ({
        budget,
        elsewhere: leftOf(budget) - answer.granted[budget.unit],
      }));
      // Others may have drawn on it meanwhile.
      if (covers(purse.left, floor)) return admitted(purse, least(want, purse.left));
    }
  };

  return {
    async admit(id, payers, want, floor) {
      const purse = purseOf(id, payers);
      if (covers(purse.left, want)) return admitted(purse, want);
      purse.asking += 1; // so that it is not given back meanwhile
      const mine = purse.turn.then(async () => await enlarge(id, payers, want, floor));
      purse.turn = mine.catch(() => {});
      return await mine.finally(() => (purse.asking -= 1));
    },
    async tend() {
      const ended = await endedRuns(db, [...purses.keys()]);
      const now = performance.now();
      for (const [id, purse] of purses) {
        const idle = ended.has(id) || now - purse.usedAt >= IDLE_MS;
        if (purse.holds + purse.asking > 0 || !idle) continue;
        purses.delete(id);
        await release(db, purse.slab, purse.payers);
      }
      await renewSlabs(db, owner);
    },
    async close() {
      for (const [id, purse] of purses) {
        purses.delete(id);
        await release(db, purse.slab, purse.payers);
      }
    },
  };
}

/** Those of the runs that no runner has any more. */
async function endedRuns(db: Queryable, ids: string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const { rows } = await db.query<{ id: string }>({
    name: 'ended-runs',
    text: 'select id from run where id = any($1) and lease_until is null',
    values: [ids],
  });
  return new Set(rows.map(({ id }) => id));
}

const TOGETHER = 50;

/** Reserves; what comes while others are being reserved shares the next transaction. */
function together(db: Queryable): (reservation: Reservation) => Promise<Reserved> {
  let waiting: { reservation: Reservation; answer: PromiseWithResolvers<Reserved> }[] = [];
  let busy = false;
  const work = async () => {
    busy = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, TOGETHER);
      waiting = waiting.slice(TOGETHER);
      try {
        const answers = await reserveAll(
          db,
          batch.map(({ reservation }) => reservation),
        );
        for (const [index, { answer }] of batch.entries()) answer.resolve(answers[index]!);
      } catch (error) {
        for (const { answer } of batch) answer.reject(error);
      }
    }
    busy = false;
  };
  return async (reservation) => {
    const answer = Promise.withResolvers<Reserved>();
    waiting.push({ reservation, answer });
    if (!busy) void work();
    return await answer.promise;
  };
}

/** For how many calls like this one a slab should last. */
function callsOf({ asked, budgets }: Purse, want: Amounts): number {
  const plenty =
    asked &&
    budgets.every(({ budget: { unit }, elsewhere }) => elsewhere > want[unit] * CALLS_IN_PLENTY * PLENTY);
  return plenty ? CALLS_IN_PLENTY : CALLS_A_SLAB;
}

/** The budget of a purse that is nearest to its end, where it has come to a level that was not told yet. */
function nearest(purse: Purse): Near | undefined {
  let near: Near | undefined;
  for (const { budget, elsewhere } of purse.budgets) {
    const left = elsewhere + purse.left[budget.unit];
    const used = budget.amount === 0 ? 100 : 100 * (1 - left / budget.amount);
    const percent = LEVELS.find((level) => used >= level) ?? 0;
    if (percent > Math.max(purse.told, near?.percent ?? 0)) near = { budget, percent, left };
  }
  if (near !== undefined) purse.told = near.percent;
  return near;
}
