// Where runs take place: kinds of workers, labels, what a worker's machine has and what a run needs of it.
// Used by project.ts and worker.ts.
import { z } from 'zod';
import { Name } from './ids.ts';

export const PLACEMENTS = ['local', 'unit', 'service', 'dispatch'] as const;
export const Placement = z.enum(PLACEMENTS).meta({
  id: 'Placement',
  description:
    "How a worker came to be. `local`: started by the daemon; `unit`: by hand or by a service manager; `service`: an allocation of Nomad's service job; `dispatch`: one dispatched for a single run.",
});
export type Placement = z.infer<typeof Placement>;

export const PLACEMENT_CHOICES = [...PLACEMENTS, 'any'] as const;
export const PlacementChoice = z.enum(PLACEMENT_CHOICES).meta({
  id: 'PlacementChoice',
  description:
    'Workers that may take the runs of a project; with `any`, allocations are dispatched only when all others are full.',
});
export type PlacementChoice = z.infer<typeof PlacementChoice>;

export const Labels = z.array(Name).max(50);

const Amount = z.int().min(0).max(1_000_000_000);
export const Resources = z
  .object({
    memoryMib: Amount.meta({
      description: 'Memory for runs; what a control group allows, where there is one.',
    }),
    cores: z.number().min(0).max(100_000),
    diskMib: Amount.meta({ description: 'Disk space that is free, at the time of the registration.' }),
  })
  .meta({ id: 'Resources' });
export type Resources = z.infer<typeof Resources>;
