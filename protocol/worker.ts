// What a worker says of itself and what it is handed: registration, claim, the whole work order of a run.
import { z } from 'zod';
import { Fence, Name, RunId, TaskId, Timestamp } from './ids.ts';
import { Message } from './message.ts';
import { Dialogue } from './model.ts';
import { Labels, Placement, Resources } from './placement.ts';
import { Isolation, Permissions, VerifyCommand } from './project.ts';
import { Plan } from './run.ts';
import { SandboxUsage } from './sandbox-usage.ts';
import { text } from './text.ts';

export const WorkerInput = z
  .strictObject({
    protocol: z.number().int(),
    version: text().max(50),
    capacity: z.number().int().min(0).max(1000).meta({ description: 'Runs at a time.' }),
    agents: z
      .array(
        z.object({
          name: Name,
          version: text().max(200).nullable(),
          protocol: Dialogue.nullable()
            .optional()
            .meta({ description: 'What it speaks to models; null: whatever its program likes.' }),
        }),
      )
      .max(100)
      .meta({ description: 'Agents that are installed there.' }),
    isolations: z
      .array(Isolation)
      .default(['directory'])
      .meta({ description: 'Isolations that it can give a run.' }),
    host: text().max(255),
    project: Name.optional().meta({
      description: 'The only project whose tasks it takes; any when left out.',
    }),
    dailyBudget: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional().meta({
      description:
        'What its runs may spend a day, in millionths of the ledger currency; a budget like others.',
    }),
    labels: Labels.default([]).meta({ description: 'Projects can ask for workers with them.' }),
    placement: Placement.default('unit'),
    resources: Resources.optional().meta({
      description: 'What its machine has; only `capacity` limits a worker that does not say.',
    }),
    allocation: text().max(64).nullable().default(null).meta({ description: 'Its allocation in Nomad.' }),
    clock: Timestamp.optional().meta({ description: 'What its clock says.' }),
  })
  .meta({ id: 'WorkerRegistration' });
export type WorkerInput = z.infer<typeof WorkerInput>;

export const WorkerAnswer = z
  .object({
    protocol: z.number().int(),
    installation: z.uuid().meta({
      description: 'A worker whose kept runs belong to another installation stops and removes them.',
    }),
    runs: z
      .array(z.object({ run: RunId, fence: Fence }))
      .meta({ description: 'Live runs that the orchestrator believes this worker has.' }),
  })
  .meta({ id: 'WorkerAnswer' });
export type WorkerAnswer = z.infer<typeof WorkerAnswer>;

export const Worker = z
  .object({
    name: z.string(),
    host: z.string(),
    version: z.string(),
    capacity: z.number().int(),
    running: z.number().int(),
    agents: z.array(z.object({ name: z.string(), version: z.string().nullable() })),
    isolations: z.array(Isolation).default(['directory']),
    project: z.string().nullable().default(null),
    labels: z.array(z.string()).default([]),
    placement: Placement.default('unit'),
    resources: Resources.nullable().default(null),
    reservedMib: z.int().default(0).meta({ description: 'Memory that is set aside for its runs.' }),
    runs: z
      .array(
        z.object({
          run: RunId,
          project: z.string(),
          state: z.string(),
          isolation: z.string(),
          memoryMib: z.int().meta({ description: 'Set aside for it.' }),
          sandboxUsage: SandboxUsage.nullable().default(null).meta({
            description: 'As of its last heartbeat; null: the worker does not tell.',
          }),
          since: Timestamp,
          deadline: Timestamp,
        }),
      )
      .default([])
      .meta({ description: 'What it has at work, and in which sandbox.' }),
    allocation: z.string().nullable().default(null),
    draining: z
      .boolean()
      .default(false)
      .meta({ description: 'It takes no runs, and finishes those it has.' }),
    clockSkewSeconds: z
      .number()
      .nullable()
      .default(null)
      .meta({ description: "How far its clock is ahead of the database's, when it registered." }),
    trouble: z.string().nullable().default(null).meta({ description: 'What is wrong with it.' }),
    state: z.enum(['online', 'offline']),
    lastSeen: Timestamp,
  })
  .meta({ id: 'Worker' });
export type Worker = z.infer<typeof Worker>;

export const ClaimInput = z
  .strictObject({
    claimId: z.uuid().meta({
      description: 'Made and stored by the worker before it polls: a repeated poll gets the same run.',
    }),
    waitSeconds: z.number().min(0).max(60).default(25),
  })
  .meta({ id: 'ClaimInput' });
export type ClaimInput = z.infer<typeof ClaimInput>;

export const WorkOrder = z
  .object({
    run: RunId,
    fence: Fence,
    installation: z.uuid(),
    task: z.object({
      id: TaskId,
      title: z.string(),
      body: z.string(),
      acceptance: z.array(z.string()),
      targetFiles: z.array(z.string()),
      kind: z.string(),
    }),
    project: z.object({ id: z.number().int(), name: z.string(), trusted: z.boolean() }),
    repositories: z
      .array(
        z.object({
          id: z.number().int(),
          name: Name,
          path: z.string().meta({ description: 'Folder in the work tree; `.` where it is the only one.' }),
          baseBranch: z.string(),
          gitPath: z.string().meta({ description: 'Path under the API address, as `/git/3.git`.' }),
        }),
      )
      .min(1),
    agent: z.object({
      name: z.string(),
      command: z.array(z.string()).nullable(),
      model: z.string(),
      maxTurns: z.number().int().optional(),
      maxUsd: z.number().optional(),
    }),
    isolation: Isolation,
    verify: z.array(VerifyCommand),
    permissions: Permissions.default({}),
    planning: z
      .object({ only: z.boolean(), approved: Plan.nullable(), rejected: Plan.nullable() })
      .default({ only: false, approved: null, rejected: null })
      .meta({
        description:
          '`only`: the run ends with its plan, for a person to approve; `rejected`: the one before it. `approved`: the work begins at once.',
      }),
    messages: z
      .array(Message)
      .default([])
      .meta({ description: 'All that people have sent to the task so far.' }),
    limits: z.object({
      maxIterations: z.number().int(),
      verifyTimeoutSeconds: z.number(),
      verifyOutputBytes: z.number().int(),
    }),
    deadline: Timestamp,
    lease: z.object({
      heartbeatSeconds: z.number(),
      leaseSeconds: z.number(),
      selfStopSeconds: z.number(),
      takesUsage: z.boolean().default(false).meta({
        description: 'Heartbeats and the end may tell `sandboxUsage`, which an older orchestrator refuses.',
      }),
    }),
    runToken: z
      .string()
      .meta({ description: "Opens this run's own API calls; stays with the runner, outside the sandbox." }),
    gatewayKey: z
      .string()
      .meta({ description: 'Opens /v1/* at the gateway and nothing else; added by the relay.' }),
    gatewayUrl: z.string().meta({ description: 'Base address of the gateway, without /v1.' }),
    egress: z
      .object({
        url: z.string().meta({ description: 'Address of the egress proxy.' }),
        token: z
          .string()
          .meta({ description: "The run's identity there; added by the relay, no sandbox has it." }),
        ca: z.string().meta({ description: 'Certificate of the authority that the proxy signs by, PEM.' }),
        placeholders: z.record(z.string(), z.string()).default({}).meta({
          description: 'What stands for secrets inside, by variable; the proxy swaps it where it may.',
        }),
      })
      .nullable()
      .default(null)
      .meta({ description: 'The way out of the sandboxes; null where there is none.' }),
    previous: z
      .object({ run: RunId, reason: z.string().nullable() })
      .nullable()
      .meta({ description: 'The attempt before, for the prompt of a retry.' }),
  })
  .meta({ id: 'WorkOrder' });
export type WorkOrder = z.infer<typeof WorkOrder>;
