// What a claimer needs of whoever starts runs on this machine: the pool in its own process (local-runners.ts), or the runner
// service on a socket (runner-service/client.ts).
import { z } from 'zod';
import { RunId } from '../protocol/ids.ts';
import type { WorkOrder } from '../protocol/worker.ts';
import type { Abilities } from './abilities.ts';

/** A run whose runner lives, and the worker that claimed it. */
export const StartedRun = z.object({ run: RunId, worker: z.string() });
export type StartedRun = z.infer<typeof StartedRun>;

export interface Runners {
  /** What can be done on this machine, as it is now. */
  abilities(): Promise<Abilities>;
  /** All runs of this machine that take room, whoever claimed them. */
  runs(): StartedRun[];
  /** Resolves when runs or abilities may have changed. */
  changed(signal: AbortSignal): Promise<void>;
  /** The id to poll with, durable: the same one until it is closed or its run is started. */
  openClaim(): Promise<string>;
  closeClaim(id: string): Promise<void>;
  /** Starts the run of a claim, unless it is; from then on nothing of it depends on the claimer. */
  start(claimId: string, order: WorkOrder): Promise<void>;
  /** Tells of which installation runs are now; those kept for another are stopped and removed. */
  belongTo(installation: string): Promise<void>;
}
