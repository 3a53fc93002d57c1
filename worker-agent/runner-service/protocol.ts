// What claimers and the runner service say to each other: HTTP with JSON over a unix socket.
//   PUT    /seat           takes a seat; the answer is a line of JSON now and at each change, and its end is that of the seat
//   POST   /claims         an id to poll with     DELETE /claims   forgets one
//   PUT    /installation   whose runs these are   POST   /runs     starts a run; answered when that is durable
// All but the first carry the seat's key. A claimer and a service of other versions of this protocol refuse each other.
import { z } from 'zod';
import { WorkOrder } from '../../protocol/worker.ts';
import { Abilities } from '../abilities.ts';
import { StartedRun } from '../runners.ts';

export const RUNNER_PROTOCOL = 1;
/** Header with the key of the seat. */
export const SEAT_HEADER = 'autocode-seat';

/** Who wants to claim on this machine. */
export const SeatInput = z.object({
  protocol: z.int(),
  worker: z.string().min(1),
  version: z.string(),
  allocation: z.string().nullable(),
  /** For a single run: beside others; without it, one on a machine. */
  once: z.boolean(),
});
export type SeatInput = z.infer<typeof SeatInput>;

/** What a claimer is told of its machine; a higher revision is newer. */
export const Situation = z.object({
  revision: z.int(),
  abilities: Abilities,
  runs: z.array(StartedRun),
});
export type Situation = z.infer<typeof Situation>;

export const SeatLine = Situation.extend({ seat: z.uuid() });
export const OneClaim = z.object({ claimId: z.uuid() });
export const InstallationInput = z.object({ installation: z.uuid() });
export const StartInput = z.object({ claimId: z.uuid(), order: WorkOrder });
