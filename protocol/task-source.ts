// The issue that a task was made from. Used by tasks, by submission and by the CLI.
import { z } from 'zod';

export const TaskSource = z
  .object({
    url: z.string(),
    forge: z.string(),
    repository: z.number().int().meta({ description: 'The repository whose issue it is.' }),
    number: z.number().int().positive(),
  })
  .meta({ id: 'TaskSource', description: 'The issue that the task was made from.' });
export type TaskSource = z.infer<typeof TaskSource>;
