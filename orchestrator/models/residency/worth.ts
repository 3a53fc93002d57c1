// What becomes of a model is weighed here and nowhere else: in seconds of waiting that it saves.
// Above them stand ranks that no number of seconds reaches: pinned models, a model whose turn it is, what runs.
import type { Standing } from './standing.ts';

/** What would become of one model. */
export interface Outcome {
  /** Replicas that serve it, or that sleep. */
  serving: number;
  asleep: number;
  /** Replicas that are loaded or woken for that. */
  loads: number;
  wakes: number;
  /** Replicas that go although they are in use. */
  drained: number;
  /** How far its new placements are from the preferred ones; a card that is not at rest is far. */
  rank: number;
}

const PINNED = 1e10;
const TURN = 1e9;
const DRAIN = 1e7;
const MOST_SECONDS = 9e6;
/** A request that waits counts as two that are expected: it is certain. */
const WAITS = 2;
/** And more with each second that it has waited. */
const IMPATIENCE = 1;
/** Pinned and preloaded models are kept as if so many requests were expected. */
const KEPT = 0.3;
/** After each such time without use half as many requests are expected soon. */
const HALF_LIFE_MS = 30_000;
/** And, not as likely, one some time: it tells which of two idle models stays. */
const SOME_TIME = 0.3;
const FORGOTTEN_MS = 1_800_000;
/** What a load or a waking costs for each second that it takes: nobody is served there meanwhile. Nothing, where nobody waits. */
const SWITCH = 1.5;
/** Decides only where all else is equal: what is there stays. */
const STAYS = 1e-2;
const PREFERRED = 1e-4;

/** The worth of an outcome, in seconds. Not loaded, not waited for: 0. */
export function worthOf(standing: Standing, outcome: Outcome): number {
  const { loadMs, wakeMs, waiting } = standing.candidate;
  const { serving, asleep, loads, wakes, drained, rank } = outcome;
  const idly = waiting === 0 && serving > standing.serving;
  const costs = idly ? 0 : SWITCH * (loads * loadMs + wakes * wakeMs);
  const settled = STAYS * (serving + asleep / 2) - PREFERRED * rank - DRAIN * drained - costs / 1000;
  if (serving === 0) return settled + (asleep > 0 ? asleepWorth(standing) : 0);
  let worth = settled + firstWorth(standing);
  for (let replica = 2; replica <= serving; replica += 1) worth += furtherWorth(standing, replica);
  return worth;
}

/** Somebody serves it: nobody waits on, and nobody who comes will have to wait for a load. */
function firstWorth(standing: Standing): number {
  const { load, loadMs } = standing.candidate;
  const seconds = pressing(standing) + expected(standing) * (loadMs / 1000);
  const ranks = (load === 'pinned' ? PINNED : 0) + TURN * standing.turn;
  return ranks + Math.min(MOST_SECONDS, seconds);
}

function furtherWorth(standing: Standing, replica: number): number {
  const { load, loadMs, replicas } = standing.candidate;
  if (replica > standing.replicas) return -1;
  const pinned = load === 'pinned' && replica <= replicas.min ? PINNED : 0;
  return pinned + Math.min(MOST_SECONDS, (KEPT * loadMs) / 1000 + pressing(standing));
}

/** Who comes waits for a waking instead of a load. */
function asleepWorth(standing: Standing): number {
  const { loadMs, wakeMs } = standing.candidate;
  return (expected(standing) * Math.max(0, loadMs - wakeMs)) / 1000;
}

/** The longer it takes to bring it, the more there should be for it to do, or the longer others may go on. */
function pressing({ candidate, waitedMs, bringMs }: Standing): number {
  return (candidate.waiting * (WAITS * bringMs + IMPATIENCE * waitedMs)) / 1000;
}

/** Requests that would wait for a load if the model were gone: of the next minute, and one of some time. */
function expected({ candidate, idleMs }: Standing): number {
  if (!Number.isFinite(idleMs)) return candidate.load === 'on-demand' ? 0 : KEPT;
  const soon = (candidate.rate + 1) * 2 ** (-idleMs / HALF_LIFE_MS);
  const ever = SOME_TIME * 2 ** (-idleMs / FORGOTTEN_MS);
  return soon + ever + (candidate.load === 'on-demand' ? 0 : KEPT);
}
