// Workers that Nomad places: what is asked for when they are deployed, what that changes, how far it is; nodes and allocations.
// Used by the routes under /fleet and their verbs.
import { z } from 'zod';
import { Name, Timestamp } from './ids.ts';

export const FleetMode = z.enum(['service', 'dispatch']).meta({
  id: 'FleetMode',
  description: '`service`: workers that stay, one on a VM; `dispatch`: one for each run.',
});
export type FleetMode = z.infer<typeof FleetMode>;

const kept = 'As it is deployed now when left out';

export const DeploymentRequest = z
  .strictObject({
    mode: FleetMode.default('service'),
    count: z
      .int()
      .min(0)
      .max(10_000)
      .optional()
      .meta({ description: `Workers. ${kept}, at first 4.` }),
    agent: Name.nullable()
      .optional()
      .meta({ description: `The only agent that they offer. ${kept}; null: any.` }),
    project: Name.nullable()
      .optional()
      .meta({ description: `The only project whose tasks they take. ${kept}; null: any.` }),
    dailyBudget: z
      .number()
      .positive()
      .max(1e9)
      .nullable()
      .optional()
      .meta({
        description: `What the runs of each may spend a day, in the ledger currency. ${kept}; null: no limit of its own.`,
      }),
    partial: z
      .boolean()
      .default(false)
      .meta({ description: 'Also where not all can be placed now; the others follow when there is room.' }),
    index: z
      .int()
      .min(0)
      .optional()
      .meta({ description: 'Of the plan that was looked at; refused when somebody changed the job since.' }),
  })
  .meta({ id: 'FleetDeploymentRequest' });
export type DeploymentRequest = z.infer<typeof DeploymentRequest>;

export const FleetPlan = z
  .object({
    job: z.string(),
    index: z.int(),
    changes: z
      .array(
        z.object({
          kind: z.enum(['added', 'deleted', 'edited']),
          what: z.string(),
          old: z.string(),
          new: z.string(),
        }),
      )
      .meta({ description: 'None: it is deployed like this already.' }),
    effects: z.array(z.string()).meta({ description: 'What becomes of workers.' }),
    shortage: z.array(z.string()).meta({ description: 'What cannot be placed, and what lacks.' }),
    warnings: z.string(),
  })
  .meta({ id: 'FleetPlan' });
export type FleetPlan = z.infer<typeof FleetPlan>;

export const FleetDeployment = z
  .object({
    job: z.string(),
    evaluation: z
      .string()
      .nullable()
      .meta({ description: 'To be followed; null when there is nothing to follow.' }),
  })
  .meta({ id: 'FleetDeployment' });
export type FleetDeployment = z.infer<typeof FleetDeployment>;

export const FleetAllocation = z
  .object({
    id: z.string(),
    name: z.string(),
    job: z.string(),
    version: z.int().nullable(),
    node: z.string(),
    state: z.string().meta({ description: 'pending, running, complete, failed, lost or unknown' }),
    wanted: z.boolean().meta({ description: 'Whether it is to run; false while it is being stopped.' }),
    healthy: z.boolean().nullable(),
    restarts: z.int(),
    message: z.string().meta({ description: 'What happened to it last.' }),
    since: Timestamp,
    changedAt: Timestamp.meta({ description: 'When its state changed last.' }),
    memoryMib: z.int().nullable().meta({ description: 'Asked for; null where Nomad does not say.' }),
  })
  .meta({ id: 'FleetAllocation' });
export type FleetAllocation = z.infer<typeof FleetAllocation>;

export const FleetAllocationDetails = FleetAllocation.extend({
  usedMib: z
    .int()
    .nullable()
    .meta({ description: 'Memory that it takes now; null where its node does not say.' }),
  events: z
    .array(z.object({ at: Timestamp, type: z.string(), message: z.string() }))
    .meta({ description: 'What happened to it, the newest first; Nomad keeps the last ten.' }),
}).meta({ id: 'FleetAllocationDetails' });
export type FleetAllocationDetails = z.infer<typeof FleetAllocationDetails>;

/** How far a deployment is. */
const RolloutState = z.enum(['pending', 'running', 'healthy', 'reverting', 'reverted', 'failed', 'replaced']);

export const FleetJob = z
  .object({
    job: z.string(),
    mode: FleetMode,
    version: z.int(),
    state: RolloutState,
    description: z.string(),
    desired: z.int().meta({ description: 'Workers that are to be; of `dispatch`: allocations that are.' }),
    placed: z.int(),
    healthy: z.int(),
    shortage: z.array(z.string()).meta({ description: 'What cannot be placed now, and what lacks.' }),
  })
  .meta({ id: 'FleetJob' });
export type FleetJob = z.infer<typeof FleetJob>;

export const Rollout = z
  .object({
    job: z.string(),
    state: RolloutState,
    description: z.string(),
    desired: z.int(),
    healthy: z.int(),
    shortage: z.array(z.string()),
    allocations: z.array(FleetAllocation),
  })
  .meta({ id: 'FleetRollout' });
export type Rollout = z.infer<typeof Rollout>;

export const FleetNode = z
  .object({
    id: z.string(),
    name: z.string(),
    address: z.string(),
    state: z.string(),
    eligible: z.boolean(),
    draining: z.boolean(),
    drivers: z.array(z.string()),
    resources: z.object({
      cpuMhz: z.number(),
      cores: z.number(),
      memoryMib: z.number(),
      diskMib: z.number(),
    }),
  })
  .meta({ id: 'FleetNode' });
export type FleetNode = z.infer<typeof FleetNode>;
