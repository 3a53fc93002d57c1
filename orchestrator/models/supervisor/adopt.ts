// Engines that run since before this daemon: found by their rows, and gone on with. Used once, when the supervisor starts.
import { setTimeout as delay } from 'node:timers/promises';
import { LocalModel } from '../../../protocol/local-model.ts';
import { Handle, type Health } from '../engine/managed.ts';
import { addReplica, newMember, removeReplica, type Fleet, type Member, type Replica } from './fleet.ts';
import { recordDecision, settleInterrupted } from './decisions.ts';
import { keepHandle, liveInstances, moveInstance, type InstanceRow, type Trouble } from './instances.ts';
import { resumeLoad } from './load.ts';
import { endEngine, wake } from './unload.ts';
import { watch } from './watch.ts';

/** An engine that does not answer by then is taken as its row says; the watch over it finds out. */
const ANSWER_MS = 1_500;

/** Adopts what runs; what has ended meanwhile is noted, what nobody wants any more is ended beside. */
export async function adopt(fleet: Fleet): Promise<void> {
  await settleInterrupted(fleet.db);
  const rows = await liveInstances(fleet.db);
  await Promise.all(rows.map((row) => adoptOne(fleet, row)));
}

async function adoptOne(fleet: Fleet, row: InstanceRow): Promise<void> {
  const known = fleet.members.get(row.model);
  const member = known?.model.engine === row.kind ? known : undefined;
  const handle = await handleOf(fleet, row, member);
  if (handle === undefined) {
    const problem = 'the daemon ended before its engine was started, and nothing of it runs.';
    return await moveInstance(fleet.db, row.launch, 'failed', {
      problem,
      remedy: 'It is loaded again when it is wanted.',
    });
  }
  const holder = member ?? strangerOf(fleet, row);
  const replica = addReplica(holder, {
    launch: row.launch,
    kind: row.kind,
    index: row.replica,
    placement: { gpus: row.gpus, mib: row.mib },
    state: row.state,
    handle,
    since: Math.min(Date.now(), row.since.getTime()), // by the database's clock, which may be ahead
    usedAt: Math.min(Date.now(), (row.usedAt ?? row.since).getTime()),
  });
  if (member === undefined) return end(fleet, holder, replica, 'the catalogue does not have it any more');
  if (row.state === 'stopping') {
    const trouble = row.problem === null ? undefined : { problem: row.problem, remedy: null };
    return end(fleet, holder, replica, 'its end had begun', trouble);
  }
  await goOn(fleet, member, replica, row);
}

function strangerOf(fleet: Fleet, { model, kind }: InstanceRow): Member {
  const stranger = newMember(LocalModel.parse({ name: model, engine: kind, path: '.' }));
  fleet.strangers.push(stranger);
  return stranger;
}

/** What is kept of the launch, or what the engine knows of it when the daemon ended before that was kept. */
async function handleOf(
  fleet: Fleet,
  { launch, kind, handle }: InstanceRow,
  member: Member | undefined,
): Promise<Handle | undefined> {
  const kept = Handle.safeParse(handle);
  if (kept.success) return kept.data;
  if (member === undefined) return undefined;
  // What cannot be asked is taken as not begun: where it does run after all, the next load takes its place.
  const found = await fleet
    .engineOf(kind)
    .find({ id: launch, model: member.model })
    .catch(() => undefined);
  if (found !== undefined) await keepHandle(fleet.db, found);
  return found;
}

async function goOn(fleet: Fleet, member: Member, replica: Replica, row: InstanceRow): Promise<void> {
  const began = Date.now();
  const health = await healthOf(fleet, replica);
  const settle = await recordDecision(fleet.db, {
    model: row.model,
    action: 'adopt',
    reason: `its engine runs since ${row.beganAt.toISOString().slice(0, 19).replace('T', ' ')}`,
    gpus: row.gpus,
  });
  if (health?.state === 'failed') {
    const trouble: Trouble = { problem: health.detail, remedy: health.remedy };
    await settle(`it had failed: ${health.detail}`);
    if (row.state !== 'asleep') member.wanted = { since: began, until: Infinity };
    return end(fleet, member, replica, undefined, trouble);
  }
  const state = health?.state ?? row.state;
  if (state === 'loading') {
    resumeLoad(fleet, member, replica);
    return await settle('it goes on loading');
  }
  if (state === 'asleep' && row.state === 'loading') {
    watch(fleet, member, replica);
    fleet.beside(`waking ${row.model}`, () => wake(fleet, member, replica, { reason: 'it was being woken' }));
    return await settle('it goes on waking');
  }
  replica.state = state === 'asleep' ? 'asleep' : 'ready';
  if (replica.state !== row.state) await moveInstance(fleet.db, row.launch, replica.state);
  watch(fleet, member, replica);
  await settle(`${state} after ${Date.now() - began} ms`);
}

async function healthOf(fleet: Fleet, replica: Replica): Promise<Health | undefined> {
  const late = new AbortController();
  const engine = fleet.engineOf(replica.kind);
  const asked = engine.health(replica.handle!, late.signal).catch(() => undefined);
  const health = await Promise.race([
    asked,
    delay(ANSWER_MS, undefined, { signal: late.signal }).catch(() => {}),
  ]);
  late.abort();
  return health ?? undefined;
}

function end(
  fleet: Fleet,
  member: Member,
  replica: Replica,
  reason: string | undefined,
  trouble?: Trouble,
): void {
  replica.busy = replica.draining = true;
  replica.state = 'stopping';
  fleet.beside(`ending ${member.model.name}`, async () => {
    const settle =
      reason === undefined
        ? undefined
        : await recordDecision(fleet.db, {
            model: member.model.name,
            action: 'unload',
            reason,
            gpus: replica.placement.gpus,
          });
    await endEngine(fleet, replica, trouble === undefined ? 'stopped' : 'failed', trouble);
    removeReplica(member, replica);
    await settle?.('unloaded');
  });
}
