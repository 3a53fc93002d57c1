// Configuration of the order of work (`scheduling`). Part of schema.ts.
import { z } from 'zod';

export const SchedulingSettings = z.strictObject({
  priorityMinutes: z
    .int()
    .min(1)
    .max(7 * 24 * 60)
    .default(10)
    .describe(
      'Minutes of waiting that one step of priority outweighs; for what is given, or gets another priority, from then on.',
    ),
});

export type SchedulingSettings = z.infer<typeof SchedulingSettings>;
