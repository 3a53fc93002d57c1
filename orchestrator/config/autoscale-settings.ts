// Configuration of how many workers Nomad's service job has (`nomad.autoscale`). Part of nomad-settings.ts; read by the autoscaler.
import { z } from 'zod';

const Count = z.int().min(0).max(10_000);

export const AutoscaleSettings = z
  .strictObject({
    min: Count.default(1).describe('Never fewer workers.'),
    max: Count.describe('Never more workers.'),
    queueWaitSeconds: z
      .number()
      .positive()
      .default(30)
      .describe('Workers are added when 5 of 100 tasks in the queue have waited for room longer.'),
    cooldownSeconds: z
      .number()
      .min(0)
      .default(120)
      .describe('After a change the count stays as it is for so long.'),
    idleSeconds: z
      .number()
      .min(0)
      .default(600)
      .describe('A worker is taken away when fewer would have done for so long.'),
  })
  .refine(({ min, max }) => min <= max, 'min is more than max')
  .optional()
  .describe('Keeps the count of the service job between two limits; left as it is deployed without it.');
export type AutoscaleSettings = NonNullable<z.infer<typeof AutoscaleSettings>>;
