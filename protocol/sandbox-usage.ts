// What the sandboxes of a run use, together: told by its runner with each heartbeat; only the last is kept.
import { z } from 'zod';

const amount = (type: z.ZodNumber, description: string) => type.nonnegative().max(1e12).meta({ description });

export const SandboxUsage = z
  .object({
    memoryMib: amount(
      z.int(),
      'Memory now, files in /tmp counted in; without what the kernel keeps of other files and gives up when there is need.',
    ),
    peakMib: amount(z.int(), 'The most of that, looked at every second.'),
    cpuSeconds: amount(z.number(), 'Time of processors since the run began.'),
    cores: amount(z.number(), 'Processors that were at work for it on average since the heartbeat before.'),
    processes: amount(z.int(), 'Processes and threads.'),
    diskMib: amount(z.int(), 'What the files of the run take on the disk of its worker.').nullable(),
  })
  .meta({ id: 'SandboxUsage' });
export type SandboxUsage = z.infer<typeof SandboxUsage>;
