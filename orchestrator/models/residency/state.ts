// What the decision loop knows and what it may answer: plain data, so that a simulation can ask it as the supervisor does.
// Times are milliseconds on one clock; memory is MiB on each GPU of a placement.

export interface Card {
  index: number;
  totalMib: number;
  /** Taken by processes that are not ours. */
  foreignMib: number;
  /** False for a GPU that has fallen off the bus, or that degraded. */
  usable: boolean;
}

/** One way to run a model: the same amount on each of the GPUs. */
export interface Placement {
  gpus: readonly number[];
  mib: number;
}

/** A model that could be run, and what is known of it. */
export interface Candidate {
  model: string;
  /** All that fit on empty cards, the preferred one first. */
  placements: readonly Placement[];
  /** Kept of each of its GPUs while asleep. */
  asleepMib: number;
  /** Taken of the machine's own memory by a replica asleep: its weights at level 1. */
  asleepHostMib: number;
  load: 'pinned' | 'preloaded' | 'on-demand';
  sleepLevel: 0 | 1 | 2;
  idleMs: number;
  /** How long a load, and a waking, took lately. */
  loadMs: number;
  wakeMs: number;
  replicas: { min: number; max: number };
  /** Not loaded again before; after failures. */
  notBefore: number;
  /** Requests a minute of late. */
  rate: number;
  /** Requests at a time that one replica takes. */
  sequences: number;
  /** Requests that wait for it, and the time of the oldest one. */
  waiting: number;
  oldest: number | null;
}

/** A replica that has GPUs. One that is being woken is `loading`, one that falls asleep is `stopping`: both have all of their memory. */
export interface Instance {
  model: string;
  replica: number;
  state: 'loading' | 'ready' | 'asleep' | 'stopping';
  /** What a stopping one becomes; gone when left out. */
  becomes?: 'asleep';
  placement: Placement;
  inFlight: number;
  since: number;
  usedAt: number;
  /** 0 to 100, of its GPUs; undefined where nobody tells. */
  utilisation?: number;
}

export interface ResidencyState {
  now: number;
  cards: readonly Card[];
  candidates: readonly Candidate[];
  instances: readonly Instance[];
  /** Memory of the machine that all models asleep together may take. */
  hostMib: number;
  /** How long a model that is in use stays, once it is loaded. */
  residencyMs: number;
  /** The longest that a request may be passed over in favour of those for a loaded model. */
  longestWaitMs: number;
}

/**
 * What is to be done now; asked again after every change. `drain`: the replica gets no new requests, so that it can go when those
 * it has are done; it holds until the next answer, and a replica that is not named there takes requests again. `as`: how it is recorded.
 */
export type Decision = { model: string; replica: number; reason: string } & (
  | { action: 'load'; placement: Placement; as?: 'degrade' | 'scale' }
  | { action: 'unload' | 'sleep' | 'wake'; as?: 'degrade' | 'scale' }
  | { action: 'drain' }
);
