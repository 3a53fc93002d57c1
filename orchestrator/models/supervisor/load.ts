// Bringing a replica up: its row first, then its engine, then a watch over its health until it is ready or has failed.
// Used by the loop and, for engines that were found still loading, by adopt.ts.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ModelDecision } from '../../../protocol/local-model.ts';
import type { Health } from '../engine/managed.ts';
import type { Placement } from '../residency/state.ts';
import { refuseWaiting, serve, whyNot } from './admission.ts';
import { backOff } from './back-off.ts';
import { recordDecision } from './decisions.ts';
import {
  addReplica,
  enter,
  gpuWords,
  removeReplica,
  type Fleet,
  type Member,
  type Replica,
} from './fleet.ts';
import { beginInstance, keepHandle, type Trouble } from './instances.ts';
import { keep, move } from './record.ts';
import { endEngine, unload, WAKING } from './unload.ts';
import { watch } from './watch.ts';

const POLL_MS = 250;
/** Engines bound their own checks; this is for one that does not. */
const HEALTH_MS = 90_000;

export interface ToLoad {
  replica: number;
  placement: Placement;
  reason: string;
  as?: Extract<ModelDecision['action'], 'load' | 'restart' | 'degrade' | 'scale'> | undefined;
}

type Failed = Extract<Health, { state: 'failed' }>;

const INTERRUPTED: Failed = {
  state: 'failed',
  detail: 'it was ended while it loaded.',
  remedy: '',
  outOfMemory: false,
};

/** Begins to load a replica; its memory is taken from now on. */
export function load(fleet: Fleet, member: Member, { replica: index, placement, reason, as }: ToLoad): void {
  const replica = addReplica(member, {
    launch: randomUUID(),
    index,
    placement,
    state: 'loading',
    busy: true,
  });
  const { name } = member.model;
  fleet.beside(`loading ${name}`, async () => {
    try {
      const decision = { model: name, action: as ?? 'load', reason, gpus: placement.gpus };
      const settle = await recordDecision(fleet.db, decision);
      const outcome = await bringUp(fleet, member, replica);
      await keep(fleet, () => settle(outcome));
    } catch (error) {
      removeReplica(member, replica); // the database is away, and nothing was started
      throw error;
    }
  });
}

/** Ends a load that is under way; its replica goes when the engine has ended. */
export function stopLoading(replica: Replica, reason: string): void {
  if (replica.state !== 'loading' || replica.detail === WAKING) return;
  replica.detail = reason;
  replica.halt.abort();
}

/** Goes on with an engine that was found while it loads. */
export function resumeLoad(fleet: Fleet, member: Member, replica: Replica): void {
  replica.busy = true;
  fleet.beside(`loading ${member.model.name}`, async () => {
    await conclude(fleet, member, replica, await untilReady(fleet, replica, Date.now()));
  });
}

async function bringUp(fleet: Fleet, member: Member, replica: Replica): Promise<string> {
  const began = Date.now();
  for (let attempt = 1; ; attempt++) {
    const failure = await attemptLoad(fleet, member, replica);
    if (failure === undefined) member.loadMs = Date.now() - began;
    if (failure?.outOfMemory !== true || attempt === 2 || replica.halt.signal.aborted)
      return `${await conclude(fleet, member, replica, failure)} after ${seconds(began)} s${attempt === 1 ? '' : ', at the second try'}`;
    await endEngine(fleet, replica, 'failed', trouble(failure));
    await freeOthers(fleet, member, replica);
    replica.launch = randomUUID();
    replica.handle = undefined;
  }
}

/** Ready, or ended: by its own failure or since it is not wanted any more. */
async function conclude(
  fleet: Fleet,
  member: Member,
  replica: Replica,
  failure: Failed | undefined,
): Promise<string> {
  if (fleet.stopping.aborted) return 'the daemon ended';
  if (replica.halt.signal.aborted) {
    await endEngine(fleet, replica, 'stopped');
    removeReplica(member, replica);
    return `stopped (${replica.detail})`;
  }
  if (failure === undefined) {
    await becomeReady(fleet, member, replica);
    return 'ready';
  }
  await giveUp(fleet, member, replica, failure);
  return `failed (${failure.detail})`;
}

async function attemptLoad(
  fleet: Fleet,
  { model, placements }: Member,
  replica: Replica,
): Promise<Failed | undefined> {
  const { launch, index, placement } = replica;
  const { gpus, mib } = placement;
  const placed = placements.find((each) => each.gpus.join() === gpus.join());
  const engine = fleet.engineOf(model.engine);
  if (fleet.stopping.aborted) return INTERRUPTED;
  await beginInstance(fleet.db, {
    launch,
    model: model.name,
    replica: index,
    kind: model.engine,
    gpus,
    predictedMib: placed?.predictedMib ?? mib,
  });
  try {
    replica.handle = await engine.start(
      {
        id: launch,
        model,
        replica: index,
        weights: join(fleet.weights, model.path),
        gpus,
        gpuMemoryUtilization: placed?.gpuMemoryUtilization ?? model.gpuMemoryUtilization,
      },
      async (handle) => {
        replica.handle = handle;
        await keep(fleet, () => keepHandle(fleet.db, handle));
      },
      replica.halt.signal, // not the daemon's end: what has begun goes on
    );
  } catch (error) {
    return asFailure(error);
  }
  return await untilReady(fleet, replica, Date.now());
}

/** Asks for the engine's health until it is ready, it has failed, or its time is over. Ends early when the daemon does. */
async function untilReady(fleet: Fleet, replica: Replica, began: number): Promise<Failed | undefined> {
  const { loadSeconds } = fleet.settings;
  const engine = fleet.engineOf(replica.kind);
  const ended = AbortSignal.any([replica.halt.signal, fleet.stopping]);
  while (!ended.aborted) {
    const health = await engine
      .health(replica.handle!, AbortSignal.any([ended, AbortSignal.timeout(HEALTH_MS)]))
      .catch((error: unknown): Health => ({
        state: 'loading',
        detail: `no answer yet (${messageOf(error)})`,
      }));
    if (health.state === 'failed') return health;
    if (health.state !== 'loading') return undefined;
    replica.detail = health.detail;
    if (Date.now() - began > loadSeconds * 1000)
      return {
        state: 'failed',
        detail: `it was not ready within ${loadSeconds} s (${health.detail}).`,
        remedy: 'Look at `autocode model logs`; raise models.local.loadSeconds if it only needs longer.',
        outOfMemory: false,
      };
    await delay(POLL_MS, undefined, { signal: ended }).catch(() => {});
  }
  return INTERRUPTED;
}

async function becomeReady(fleet: Fleet, member: Member, replica: Replica): Promise<void> {
  await move(fleet, replica, 'ready');
  enter(replica, 'ready');
  replica.usedAt = replica.since; // it was loaded to be used: its idle time begins now
  replica.busy = false;
  member.wanted = null;
  member.lastFailure = null;
  watch(fleet, member, replica);
  serve(fleet, member);
}

/** Ends what is left of a load that failed, and lets nobody wait for it. */
async function giveUp(fleet: Fleet, member: Member, replica: Replica, failure: Failed): Promise<void> {
  backOff(member, trouble(failure));
  await endEngine(fleet, replica, 'failed', trouble(failure));
  removeReplica(member, replica);
  member.wanted = null;
  const refusal = whyNot(member, Date.now());
  if (refusal !== undefined) refuseWaiting(member, refusal);
}

// The engine found less memory than was predicted: what is idle on its GPUs goes, but nothing that is pinned.
async function freeOthers(fleet: Fleet, member: Member, { placement }: Replica): Promise<void> {
  const inTheWay = [...fleet.members.values()]
    .filter((other) => other !== member && other.load !== 'pinned')
    .flatMap((other) => other.replicas.map((replica) => ({ other, replica })))
    .filter(
      ({ replica: { busy, inFlight, state, placement: theirs } }) =>
        !busy &&
        inFlight === 0 &&
        (state === 'ready' || state === 'asleep') &&
        theirs.gpus.some((gpu) => placement.gpus.includes(gpu)),
    );
  await Promise.all(
    inTheWay.map(({ other, replica }) =>
      unload(fleet, other, replica, {
        reason: `${member.model.name} ran out of memory on ${gpuWords(placement.gpus)}, and ${other.model.name} is idle there`,
      }),
    ),
  );
}

function asFailure(error: unknown): Failed {
  const remedy = error instanceof AutocodeError ? error.remedy : undefined;
  return {
    state: 'failed',
    detail: messageOf(error),
    remedy: remedy ?? 'See `autocode model logs`.',
    outOfMemory: false,
  };
}

const trouble = ({ detail, remedy }: Failed): Trouble => ({ problem: detail, remedy });
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const seconds = (since: number) => Math.round((Date.now() - since) / 1000);
