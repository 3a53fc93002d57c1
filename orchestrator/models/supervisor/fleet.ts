// What the supervisor holds in memory: the models of the catalogue, their replicas, and who waits for them.
import type { EngineFigures, Gpu, LocalModel, ManagedEngineKind } from '../../../protocol/local-model.ts';
import type { LocalModels } from '../../config/local-model-settings.ts';
import type { Database } from '../../db/connect.ts';
import type { Handle, ManagedEngine } from '../engine/managed.ts';
import type { Card, Instance, Placement } from '../residency/state.ts';
import type { ModelPlacement } from '../vram/placements.ts';
import type { Acquired } from './acquired.ts';
import type { Trouble } from './instances.ts';

export interface Replica {
  launch: string;
  readonly kind: ManagedEngineKind;
  readonly index: number;
  readonly placement: Placement;
  state: Instance['state'];
  /** What a stopping one becomes; gone when undefined. */
  becomes: 'asleep' | undefined;
  handle: Handle | undefined;
  inFlight: number;
  since: number;
  usedAt: number;
  /** Takes no more requests, since it is to go or to sleep. */
  draining: boolean;
  /** The same, on request of people. */
  held: boolean;
  /** A request failed there: it takes no more until it was found well. */
  doubted: boolean;
  /** Has it looked at now; set by its watch. */
  look(): void;
  /** Something is done with it; nothing else is begun meanwhile. */
  busy: boolean;
  /** How far it is while it loads. */
  detail: string;
  figures: EngineFigures | null;
  /** Ends its loading and its watch. */
  readonly halt: AbortController;
}

export interface Waiter {
  since: number;
  admit(place: Acquired): void;
  refuse(error: Error): void;
}

/** A model of the catalogue. */
export interface Member {
  readonly model: LocalModel;
  /** As the catalogue says, or on demand once people have unloaded it. */
  load: LocalModel['load'];
  weights: 'here' | 'missing' | 'broken';
  placements: readonly ModelPlacement[];
  weightsBytes: number;
  /** What it lacks, whatever else runs: weights, a GPU that is large enough. */
  lack: Trouble | null;
  /** Why it cannot be loaded: that, or what is pinned beside. */
  trouble: Trouble | null;
  replicas: Replica[];
  waiting: Waiter[];
  /** It is to be loaded though nobody waits: people asked, it crashed, or requests went to another model meanwhile. */
  wanted: { since: number; until: number } | null;
  failures: number;
  lastFailure: (Trouble & { at: number }) | null;
  notBefore: number;
  loadMs: number;
  wakeMs: number;
  rate: { value: number; at: number };
  usedAt: number | null;
}

/** What is seen of the GPUs. */
export interface GpuView {
  cards(): Card[];
  gpus(): Gpu[];
  usedMib(pids: ReadonlySet<number>): Map<number, number>;
  changed(): Promise<void>;
}

export interface Fleet {
  readonly db: Database;
  readonly log: FleetLog;
  readonly settings: Pick<LocalModels, 'loadSeconds' | 'waitSeconds' | 'residencySeconds' | 'stuckSeconds'>;
  /** Directory of the weights. */
  readonly weights: string;
  readonly members: ReadonlyMap<string, Member>;
  /** Those whose engines run though the catalogue does not have them any more; they are about to end. */
  readonly strangers: Member[];
  engineOf(kind: ManagedEngineKind): ManagedEngine;
  readonly gpus: GpuView;
  readonly stopping: AbortSignal;
  /** The loop looks again at once. */
  poke(): void;
  /** Begins something at once that goes on beside the loop. What it throws is logged, and the loop looks again when it has ended. */
  beside(what: string, work: () => Promise<void>): void;
}

export interface FleetLog {
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
}

const USUAL_LOAD_MS = 60_000;
const USUAL_WAKE_MS = 3_000;

/** A model that nothing is known of yet. */
export function newMember(model: LocalModel, loadMs = USUAL_LOAD_MS): Member {
  return {
    model,
    load: model.load,
    weights: 'missing',
    placements: [],
    weightsBytes: 0,
    lack: null,
    trouble: null,
    replicas: [],
    waiting: [],
    wanted: null,
    failures: 0,
    lastFailure: null,
    notBefore: 0,
    loadMs,
    wakeMs: USUAL_WAKE_MS,
    rate: { value: 0, at: 0 },
    usedAt: null,
  };
}

/** Puts a replica into the fleet, so that its memory is taken from now on. */
export function addReplica(
  member: Member,
  of: Pick<Replica, 'launch' | 'index' | 'placement' | 'state'> & Partial<Replica>,
): Replica {
  const now = Date.now();
  const replica: Replica = {
    kind: member.model.engine,
    becomes: undefined,
    handle: undefined,
    inFlight: 0,
    since: now,
    usedAt: now,
    draining: false,
    held: false,
    doubted: false,
    look: () => {},
    busy: false,
    detail: '',
    figures: null,
    halt: new AbortController(),
    ...of,
  };
  member.replicas.push(replica);
  return replica;
}

/** Takes it out: its memory is free. */
export function removeReplica(member: Member, replica: Replica): void {
  replica.halt.abort();
  member.replicas.splice(member.replicas.indexOf(replica), 1);
}

/** Enters a state; `becomes`: what follows it. */
export function enter(replica: Replica, state: Replica['state'], becomes?: 'asleep'): void {
  replica.state = state;
  replica.becomes = becomes;
  replica.since = Date.now();
}

/** Requests at a time that one replica of ours takes; Ray spreads those of an application over replicas of its own. */
export function placesOf({ engine, sequences, replicas }: LocalModel): number {
  return engine === 'ray-serve' ? sequences * replicas.max : sequences;
}

/** The first process of a replica's engine, which the others came of. */
export function pidsOf({ handle }: Replica): ReadonlySet<number> {
  return new Set(handle?.pid === undefined ? [] : [handle.pid]);
}

/** `GPU 0`, `GPUs 0 and 1`. */
export function gpuWords(gpus: readonly number[]): string {
  if (gpus.length === 0) return 'no GPU of this machine';
  return gpus.length === 1 ? `GPU ${gpus[0]}` : `GPUs ${gpus.slice(0, -1).join(', ')} and ${gpus.at(-1)}`;
}
