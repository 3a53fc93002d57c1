// The watch over an engine that runs: that it lives, answers and brings tokens; what it says of itself is recorded.
// One that does not is ended and loaded anew. Begun by load.ts and adopt.ts, ends with the replica.
import { setTimeout as delay } from 'node:timers/promises';
import type { EngineReading, Health } from '../engine/managed.ts';
import { figuresOf } from '../health/figures.ts';
import { progressWatch } from '../health/progress.ts';
import { serve } from './admission.ts';
import { backOff } from './back-off.ts';
import { recordDecision } from './decisions.ts';
import { enter, pidsOf, removeReplica, type Fleet, type Member, type Replica } from './fleet.ts';
import { observeInstance, type Trouble } from './instances.ts';
import { keep, move } from './record.ts';
import { endEngine } from './unload.ts';

const EVERY_MS = 1_000;
/** Engines bound their own checks; this is for one that does not. */
const ANSWER_MS = 90_000;
/** An engine that was ready may not be found well for so long: one that mends itself, as Ray does, is let. */
const UNWELL_MS = 30_000;
const OBSERVE_MS = 3_000;
/** An engine that ran for so long did not fail at its start: the next pause is short again. */
const SOUND_MS = 60_000;

/** Watches a replica until it is gone or the daemon ends. */
export function watch(fleet: Fleet, member: Member, replica: Replica): void {
  const ended = AbortSignal.any([replica.halt.signal, fleet.stopping]);
  const engine = fleet.engineOf(replica.kind);
  const progress = progressWatch(fleet.settings.stuckSeconds * 1000);
  const observe = observer(fleet, replica);
  let before: EngineReading | undefined;
  let wellAt = Date.now();
  const look = async () => {
    const handle = replica.handle!;
    const signal = AbortSignal.any([ended, AbortSignal.timeout(ANSWER_MS)]);
    const [health, reading] = await Promise.all([
      engine.health(handle, signal).catch((error: Error) => error),
      engine.metrics(handle, signal).catch(() => undefined),
    ]);
    if (ended.aborted || replica.busy) return;
    if (Date.now() - replica.since > SOUND_MS) member.failures = 0;
    if (!(health instanceof Error) && health.state !== 'loading') wellAt = Date.now();
    if (reading !== undefined) {
      replica.figures = figuresOf(before, reading);
      before = reading;
    }
    await observe(reading).catch((error: unknown) => fleet.log.warn('figures were not kept', { error }));
    const stuck = reading !== undefined && progress.seen(reading);
    const unwell = Date.now() - wellAt > UNWELL_MS;
    const trouble = troubleOf(health, unwell, stuck ? fleet.settings.stuckSeconds : null);
    if (trouble !== undefined) return await restart(fleet, member, replica, trouble);
    if (health instanceof Error) return;
    await follow(fleet, replica, health);
    replica.doubted = false;
    serve(fleet, member);
  };
  fleet.beside(`watching ${member.model.name}`, async () => {
    while (!ended.aborted) {
      const doubt = Promise.withResolvers<void>();
      replica.look = doubt.resolve;
      if (!replica.busy) await look();
      const next = new AbortController();
      const pause = delay(EVERY_MS, undefined, { signal: AbortSignal.any([ended, next.signal]) });
      await Promise.race([pause.catch(() => {}), doubt.promise]);
      next.abort();
    }
  });
}

function troubleOf(
  health: Health | Error,
  unwell: boolean,
  stuckSeconds: number | null,
): Trouble | undefined {
  const remedy = 'It is started anew; if that happens again, see `autocode model logs`.';
  if (stuckSeconds !== null)
    return { problem: `it has had requests for ${stuckSeconds} s and brought no token.`, remedy };
  if (!(health instanceof Error) && health.state === 'failed')
    return { problem: health.detail, remedy: health.remedy };
  if (!unwell) return undefined;
  const why = health instanceof Error ? health.message : 'detail' in health ? health.detail : health.state;
  return { problem: `it was not well for ${UNWELL_MS / 1000} s: ${why}`, remedy };
}

/** Ends an engine that has failed and lets it be loaded anew after a pause. */
async function restart(fleet: Fleet, member: Member, replica: Replica, trouble: Trouble): Promise<void> {
  const now = Date.now();
  const wasUsed = replica.state === 'ready';
  replica.busy = replica.draining = true;
  backOff(member, trouble);
  if (wasUsed) member.wanted = { since: now, until: Infinity };
  enter(replica, 'stopping');
  const { name } = member.model;
  fleet.log.warn(`the engine of ${name} failed: ${trouble.problem}`, { launch: replica.launch });
  const decision = {
    model: name,
    action: 'restart' as const,
    reason: trouble.problem,
    gpus: replica.placement.gpus,
  };
  const settle = await keep(fleet, () => recordDecision(fleet.db, decision));
  await endEngine(fleet, replica, 'failed', trouble);
  removeReplica(member, replica);
  const pause = Math.ceil((member.notBefore - now) / 1000);
  await keep(fleet, async () =>
    settle?.(wasUsed ? `ended; loaded anew ${pause} s after the failure` : 'ended; it was asleep'),
  );
}

// Somebody else may have woken it, or put it to sleep.
async function follow(fleet: Fleet, replica: Replica, { state }: Health): Promise<void> {
  if ((state !== 'ready' && state !== 'asleep') || state === replica.state) return;
  enter(replica, state);
  await move(fleet, replica, state);
}

/** Keeps what is seen, every few seconds and only what has changed. */
function observer(fleet: Fleet, replica: Replica): (reading: EngineReading | undefined) => Promise<void> {
  let last = '';
  let at = 0;
  return async (reading) => {
    if (Date.now() - at < OBSERVE_MS) return;
    at = Date.now();
    const { inFlight, usedAt, figures } = replica;
    const measuredMib = measured(fleet, replica);
    const { reportedMib = null } = reading ?? {};
    const seen = { inFlight, usedAt: new Date(usedAt), figures, reportedMib, measuredMib };
    const text = JSON.stringify(seen);
    if (text === last) return;
    await observeInstance(fleet.db, replica.launch, seen);
    last = text;
  };
}

// Of a ready engine alone: it calibrates the next prediction, and one asleep takes next to nothing.
function measured(fleet: Fleet, replica: Replica): number | null {
  if (replica.state !== 'ready') return null;
  const used = fleet.gpus.usedMib(pidsOf(replica));
  const each = replica.placement.gpus.flatMap((gpu) => used.get(gpu) ?? []);
  return each.length === 0 ? null : Math.round(Math.max(...each));
}
