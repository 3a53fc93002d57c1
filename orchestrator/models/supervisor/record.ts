// Writes that must not be lost while the database is away for a moment: an engine that has been started is on record.
// Used by all that changes replicas.
import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet, Replica } from './fleet.ts';
import { moveInstance, type InstanceState, type Trouble } from './instances.ts';

const AGAIN_MS = 1_000;

/** Writes until it has succeeded; undefined when the daemon ends before. The next start compares rows and engines. */
export async function keep<T>(
  fleet: Pick<Fleet, 'stopping' | 'log'>,
  write: () => Promise<T>,
): Promise<T | undefined> {
  for (let told = false; ; told = true) {
    try {
      return await write();
    } catch (error) {
      if (fleet.stopping.aborted) return undefined;
      if (!told) fleet.log.warn('what models do could not be recorded; it is tried again', { error });
      await delay(AGAIN_MS, undefined, { signal: fleet.stopping }).catch(() => {});
    }
  }
}

/** Records the state of a replica. */
export async function move(
  fleet: Fleet,
  { launch }: Replica,
  state: InstanceState,
  trouble?: Trouble,
): Promise<void> {
  await keep(fleet, () => moveInstance(fleet.db, launch, state, trouble));
}
