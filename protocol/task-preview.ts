// What would become of a task before it is given: who would do it, what it would wait for, what such tasks have cost. Used by api/
// and by the page.
import { z } from 'zod';
import { Explanation } from './scheduling.ts';

export const TaskPreview = z
  .object({
    agent: z.string(),
    model: z.string(),
    waits: Explanation.shape.waits.element
      .omit({ tasks: true })
      .array()
      .meta({ description: 'What it would wait for; empty when a worker may take it at once.' }),
    before: z
      .number()
      .int()
      .meta({ description: 'Tasks that wait and would go before it, in all projects.' }),
    like: z
      .object({
        tasks: z.number().int(),
        of: z.enum(['project and model', 'project', 'model']),
        median: z.number().int(),
        high: z.number().int().meta({ description: 'Nine of ten cost no more.' }),
        minutes: z.number().nullable().meta({ description: 'From the first run to the end; the median.' }),
      })
      .nullable()
      .meta({
        description:
          'What ended tasks like it cost, in millionths of the currency; null where there are none.',
      }),
    currency: z.string(),
  })
  .meta({ id: 'TaskPreview' });
export type TaskPreview = z.infer<typeof TaskPreview>;
