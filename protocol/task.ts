// Tasks: what is to be done. Used by api/, cli/, tasks/ and, as part of a claim, by the worker.
import { z } from 'zod';
import { Name, TaskId, Timestamp } from './ids.ts';
import { RunLimits } from './project.ts';
import { text } from './text.ts';

export const TASK_STATES = ['pending', 'queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export const TaskState = z.enum(TASK_STATES).meta({ id: 'TaskState' });
export type TaskState = z.infer<typeof TaskState>;

/** What a pending task waits for. */
export const PENDING_REASONS = ['approval', 'repository', 'retry', 'incident', 'budget', 'drain'] as const;
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
    priority: z
      .number()
      .int()
      .min(-100)
      .max(100)
      .default(0)
      .meta({ description: 'Higher first; one step outweighs ten minutes of waiting.' }),
    kind: z.enum(TASK_KINDS).default('change'),
    baseBranch: text()
      .min(1)
      .max(255)
      .optional()
      .meta({ description: "The project's default branch when left out." }),
    agent: Name.optional(),
    model: text().max(200).optional(),
    limits: RunLimits.default({}),
    idempotencyKey: text()
      .min(1)
      .max(200)
      .optional()
      .meta({ description: 'A repeated request with the same key answers with the first task.' }),
  })
  .meta({ id: 'TaskCreate' });
export type TaskInput = z.infer<typeof TaskInput>;

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
    baseBranch: z.string(),
    agent: z.string(),
    model: z.string(),
    limits: RunLimits,
    state: TaskState,
    pendingReason: PendingReason.nullable(),
    reason: z.string().nullable().meta({ description: 'Why it is in this state, in one sentence.' }),
    attempt: z.number().int().meta({ description: 'Runs so far; the fence of the last one.' }),
    currentRun: z.string().nullable(),
    change: z.number().int().nullable(),
    notBefore: Timestamp.nullable().meta({ description: 'A retry waits until then.' }),
    createdBy: z.string(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
    finishedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Task' });
export type Task = z.infer<typeof Task>;
