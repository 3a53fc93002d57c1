// Tasks: what is to be done. Used by api/, cli/, tasks/ and, as part of a claim, by the worker.
import { z } from 'zod';
import { Name, TaskId, Timestamp } from './ids.ts';
import { TaskClass } from './order-of-work.ts';
import { MOST_REPOSITORIES, RunLimits } from './project.ts';
import { Plan } from './run.ts';
import { TaskSource } from './task-source.ts';
import { text } from './text.ts';

export const TASK_STATES = ['pending', 'queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export const TaskState = z.enum(TASK_STATES).meta({ id: 'TaskState' });
export type TaskState = z.infer<typeof TaskState>;

/** What a pending task waits for. */
export const PENDING_REASONS = [
  'approval',
  'repository',
  'retry',
  'incident',
  'budget',
  'drain',
  'secrets',
  'limit',
  'change',
] as const;
export const PendingReason = z.enum(PENDING_REASONS).meta({ id: 'PendingReason' });
export type PendingReason = z.infer<typeof PendingReason>;

export const TASK_KINDS = ['change', 'investigate'] as const;

export const TaskInput = z
  .strictObject({
    project: Name,
    title: text().trim().min(1).max(300),
    body: text().max(200_000).default(''),
    acceptance: z
      .array(text().min(1).max(2000))
      .max(100)
      .default([])
      .meta({ description: 'Acceptance criteria, one each.' }),
    targetFiles: z
      .array(text().min(1).max(4096))
      .max(1000)
      .default([])
      .meta({ description: 'Files or folders that the change is expected in.' }),
    priority: z.number().int().min(-100).max(100).default(0).meta({
      description: 'Higher first; one step outweighs some minutes of waiting (scheduling.priorityMinutes).',
    }),
    kind: z.enum(TASK_KINDS).default('change'),
    baseBranch: text()
      .min(1)
      .max(255)
      .optional()
      .meta({ description: "In each of its repositories; the repository's default branch when left out." }),
    repositories: z
      .array(Name)
      .min(1)
      .max(MOST_REPOSITORIES)
      .optional()
      .meta({ description: "Names of the repositories to work in; all of the project's when left out." }),
    agent: Name.optional(),
    model: text().max(200).optional(),
    limits: RunLimits.default({}),
    approvePlan: z.boolean().optional().meta({
      description: 'A person approves the plan before the work begins; as the project has it when left out.',
    }),
    idempotencyKey: text()
      .min(1)
      .max(200)
      .optional()
      .meta({ description: 'A repeated request with the same key answers with the first task.' }),
  })
  .meta({ id: 'TaskCreate' });
export type TaskInput = z.infer<typeof TaskInput>;

const Editable = TaskInput.pick({
  title: true,
  body: true,
  acceptance: true,
  targetFiles: true,
  priority: true,
  limits: true,
}).extend({
  body: TaskInput.shape.body.unwrap(),
  acceptance: TaskInput.shape.acceptance.unwrap(),
  targetFiles: TaskInput.shape.targetFiles.unwrap(),
  priority: TaskInput.shape.priority.unwrap(),
  limits: RunLimits.meta({ description: 'All of them: what is left out is as the project has it.' }),
});

/** What of a task may be changed before it runs; while it runs, its priority alone. */
export const TaskPatch = Editable.partial()
  .extend({
    was: Editable.partial().optional().meta({
      description: 'What the editor saw: refused when somebody has changed that meanwhile.',
    }),
  })
  .meta({ id: 'TaskPatch' });
export type TaskPatch = z.infer<typeof TaskPatch>;

export const IssueTaskInput = TaskInput.omit({ title: true, idempotencyKey: true })
  .extend({
    project: Name.optional().meta({ description: 'Found by the repository of the issue when left out.' }),
    issue: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .meta({ description: 'Address of the issue, as a browser shows it.' }),
    again: z.boolean().default(false).meta({ description: 'Another task, though the issue has one.' }),
    force: z.boolean().default(false).meta({ description: 'Although the issue is closed.' }),
  })
  .meta({ id: 'TaskFromIssue' });
export type IssueTaskInput = z.infer<typeof IssueTaskInput>;

export const ReplayInput = z
  .strictObject({ agent: Name.optional(), model: text().max(200).optional(), limits: RunLimits.default({}) })
  .meta({ id: 'RunReplay', description: 'What is to be different; the rest is as it was.' });
export type ReplayInput = z.infer<typeof ReplayInput>;

/** What has become of a task's plan, where a person decides about it. */
export const PlanState = z.enum(['proposed', 'approved', 'rejected']).meta({ id: 'PlanState' });
export type PlanState = z.infer<typeof PlanState>;

export const PlanApproval = z
  .strictObject({
    summary: text().max(5000).optional(),
    steps: z
      .array(text().trim().min(1).max(500))
      .min(1)
      .max(200)
      .optional()
      .meta({ description: 'Take the place of the steps that were proposed.' }),
  })
  .meta({ id: 'PlanApproval' });
export type PlanApproval = z.infer<typeof PlanApproval>;

export const Task = z
  .object({
    id: TaskId,
    project: z.string(),
    title: z.string(),
    body: z.string(),
    acceptance: z.array(z.string()),
    targetFiles: z.array(z.string()),
    priority: z.number().int(),
    kind: z.enum(TASK_KINDS),
    repositories: z
      .array(z.object({ id: z.number().int(), name: z.string(), baseBranch: z.string() }))
      .meta({ description: 'Where it works.' }),
    agent: z.string(),
    model: z.string(),
    limits: RunLimits,
    state: TaskState,
    pendingReason: PendingReason.nullable(),
    reason: z.string().nullable().meta({ description: 'Why it is in this state, in one sentence.' }),
    attempt: z.number().int().meta({ description: 'Runs so far; the fence of the last one.' }),
    currentRun: z.string().nullable(),
    changes: z
      .array(z.number().int())
      .meta({ description: 'At most one a repository; none where nothing changed.' }),
    source: TaskSource.nullable().default(null),
    class: TaskClass.default('person'),
    sourceName: z.string().default('api').meta({
      description: 'The intake source that it came from; `api` where a person or a program gave it.',
    }),
    account: z
      .string()
      .nullable()
      .default(null)
      .meta({ description: 'That it is about, as its source says.' }),
    incident: z.number().int().nullable().default(null).meta({ description: 'That it investigates.' }),
    replayOf: z
      .string()
      .nullable()
      .default(null)
      .meta({ description: 'The run that it does again, to be compared; its result is never submitted.' }),
    approvePlan: z.boolean().default(false),
    plan: Plan.nullable().default(null).meta({ description: 'The plan that a person decides about.' }),
    planState: PlanState.nullable().default(null),
    notBefore: Timestamp.nullable().meta({ description: 'A retry waits until then.' }),
    createdBy: z.string(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
    finishedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Task' });
export type Task = z.infer<typeof Task>;
