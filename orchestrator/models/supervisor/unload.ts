// Taking a replica down, or to sleep, and waking it. Its memory counts as taken until the GPU says that it is back.
import { setTimeout as delay } from 'node:timers/promises';
import type { ModelDecision } from '../../../protocol/local-model.ts';
import { serve } from './admission.ts';
import { recordDecision } from './decisions.ts';
import { enter, gpuWords, pidsOf, removeReplica, type Fleet, type Member, type Replica } from './fleet.ts';
import type { Trouble } from './instances.ts';
import { keep, move } from './record.ts';

/** What a replica's detail says while it wakes. */
export const WAKING = 'waking';

const RETRY_MS = 5_000;
const BACK = { share: 0.75, pollMs: 250, withinMs: 5_000 };

export interface Why {
  reason: string;
  as?: ModelDecision['action'] | undefined;
}

/** Unloads a replica; returns when its memory is back. */
export async function unload(fleet: Fleet, member: Member, replica: Replica, why: Why): Promise<void> {
  replica.busy = replica.draining = true;
  enter(replica, 'stopping');
  const settle = await decided(fleet, member, replica, 'unload', why);
  await endEngine(fleet, replica, 'stopped');
  removeReplica(member, replica);
  await settle('unloaded');
}

/** Ends a replica's engine and its row; goes on until nothing of it is left, or the daemon ends. */
export async function endEngine(
  fleet: Fleet,
  replica: Replica,
  end: 'stopped' | 'failed',
  trouble?: Trouble,
): Promise<void> {
  enter(replica, 'stopping');
  await move(fleet, replica, 'stopping', trouble);
  const { handle } = replica;
  if (handle !== undefined) {
    const taken = memoryOf(fleet, replica);
    while (!fleet.stopping.aborted) {
      try {
        await fleet.engineOf(replica.kind).stop(handle);
        break;
      } catch (error) {
        fleet.log.warn('an engine does not stop; it is tried again', { model: handle.model, error });
        await delay(RETRY_MS, undefined, { signal: fleet.stopping }).catch(() => {});
      }
    }
    await memoryBack(fleet, replica, taken);
  }
  if (!fleet.stopping.aborted) await move(fleet, replica, end, trouble);
}

/** Puts an idle replica to sleep; one whose engine cannot sleep is unloaded. */
export async function sleep(fleet: Fleet, member: Member, replica: Replica, why: Why): Promise<void> {
  replica.busy = replica.draining = true;
  enter(replica, 'stopping', 'asleep');
  const settle = await decided(fleet, member, replica, 'sleep', why);
  const taken = memoryOf(fleet, replica);
  try {
    await fleet.engineOf(replica.kind).sleep(replica.handle!, member.model.sleepLevel === 2 ? 2 : 1);
  } catch (error) {
    await settle(`could not be put to sleep (${(error as Error).message}); it is unloaded`);
    return await unload(fleet, member, replica, { reason: 'it could not be put to sleep' });
  }
  await memoryBack(fleet, replica, taken);
  await move(fleet, replica, 'asleep');
  enter(replica, 'asleep');
  replica.busy = replica.draining = replica.held = false;
  await settle('asleep');
}

/** Wakes a replica; one that does not wake is unloaded, and loaded again where it is waited for. */
export async function wake(fleet: Fleet, member: Member, replica: Replica, why: Why): Promise<void> {
  replica.busy = true;
  enter(replica, 'loading');
  replica.detail = WAKING;
  const began = Date.now();
  const settle = await decided(fleet, member, replica, 'wake', why);
  await move(fleet, replica, 'loading'); // a daemon that starts meanwhile must not give its memory to others
  try {
    await fleet.engineOf(replica.kind).wake(replica.handle!);
  } catch (error) {
    await settle(`does not wake (${(error as Error).message}); it is unloaded`);
    return await unload(fleet, member, replica, { reason: 'it did not wake' });
  }
  member.wakeMs = Date.now() - began;
  await move(fleet, replica, 'ready');
  enter(replica, 'ready');
  replica.busy = replica.draining = replica.held = false;
  replica.usedAt = replica.since;
  member.wanted = null;
  serve(fleet, member);
  await settle(`ready after ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

async function decided(
  fleet: Fleet,
  { model }: Member,
  { placement }: Replica,
  action: ModelDecision['action'],
  { reason, as }: Why,
): Promise<(outcome: string) => Promise<void>> {
  const decision = { model: model.name, action: as ?? action, reason, gpus: placement.gpus };
  const settle = await keep(fleet, () => recordDecision(fleet.db, decision));
  return async (outcome) => {
    await keep(fleet, async () => await settle?.(outcome));
  };
}

/** What the GPUs of a replica have in use, and how much of that is its own. */
function memoryOf(fleet: Fleet, replica: Replica): { own: Map<number, number>; used: Map<number, number> } {
  return { own: fleet.gpus.usedMib(pidsOf(replica)), used: usedNow(fleet) };
}

// A driver gives memory back some time after the process has ended, and a load that begins before runs out of it.
async function memoryBack(
  fleet: Fleet,
  { placement }: Replica,
  { own, used }: ReturnType<typeof memoryOf>,
): Promise<void> {
  const missing = () => {
    const now = usedNow(fleet);
    return [...own].filter(([gpu, mib]) => (used.get(gpu) ?? 0) - (now.get(gpu) ?? 0) < mib * BACK.share);
  };
  for (const deadline = Date.now() + BACK.withinMs; missing().length > 0 && !fleet.stopping.aborted;) {
    if (Date.now() > deadline)
      return fleet.log.warn(
        `memory of ${gpuWords(placement.gpus)} is not back after ${BACK.withinMs / 1000} s`,
      );
    await Promise.race([fleet.gpus.changed(), delay(BACK.pollMs)]);
  }
}

function usedNow(fleet: Fleet): Map<number, number> {
  return new Map(
    fleet.gpus.gpus().flatMap(({ index, usedMib }) => (usedMib === null ? [] : [[index, usedMib]])),
  );
}
