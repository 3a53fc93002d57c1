// Differences between what the orchestrator has written down of the fleet and what Nomad says. Used by api/, cli/ and placement/.
import { z } from 'zod';

export const ReconcileInput = z
  .strictObject({
    dryRun: z.boolean().default(false).meta({ description: 'Change nothing.' }),
  })
  .meta({ id: 'FleetReconcile' });
export type ReconcileInput = z.infer<typeof ReconcileInput>;

export const FleetDifference = z
  .object({
    kind: z.enum(['allocation', 'dispatch', 'worker', 'run', 'job']),
    what: z.string().meta({ description: 'Id or name of what differs.' }),
    why: z.string(),
    action: z
      .string()
      .nullable()
      .meta({ description: 'What mends it; null where that is for people, or for time.' }),
    mended: z.boolean(),
  })
  .meta({ id: 'FleetDifference' });
export type FleetDifference = z.infer<typeof FleetDifference>;
