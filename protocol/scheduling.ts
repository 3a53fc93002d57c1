// Why work waits: the drain before a shutdown, the explanation of one task, tasks that were given up. Used by api/, cli/ and tasks/.
import { z } from 'zod';
import { Name, TaskId, Timestamp } from './ids.ts';
import { PendingReason, TaskState } from './task.ts';
import { RunCause, RunState } from './run.ts';
import { text } from './text.ts';

/** What happens when runs are still active at the deadline of a drain. */
export const AT_DEADLINE = ['wait', 'cancel', 'stop'] as const;
export const AtDeadline = z.enum(AT_DEADLINE).meta({
  id: 'AtDeadline',
  description:
    '`wait` goes on waiting; `cancel` ends the runs, and their tasks are done again afterwards; `stop` ends the daemon, and the runs go on without it.',
});
export type AtDeadline = z.infer<typeof AtDeadline>;

export const LONGEST_DRAIN_MINUTES = 7 * 24 * 60;

export const DrainInput = z
  .strictObject({
    reason: text().trim().min(1).max(500).optional(),
    deadlineMinutes: z.number().positive().max(LONGEST_DRAIN_MINUTES).optional().meta({
      description: 'How long runs may take to end; as configured when left out.',
    }),
    atDeadline: AtDeadline.optional().meta({
      description: 'What happens at the deadline; as configured when left out.',
    }),
  })
  .meta({ id: 'DrainStart' });
export type DrainInput = z.infer<typeof DrainInput>;

export const Drain = z
  .object({
    state: z.enum(['off', 'draining', 'drained']).meta({
      description: '`draining`: no run begins; `drained`: and none is active.',
    }),
    requested: z.boolean().meta({ description: 'Asked for by `drain start`.' }),
    flagged: z.boolean().meta({ description: 'Asked for by the flag file.' }),
    reason: z.string().nullable(),
    begunBy: z.string().nullable(),
    begunAt: Timestamp.nullable(),
    deadline: Timestamp.nullable(),
    atDeadline: AtDeadline.nullable(),
    overdueAt: Timestamp.nullable().meta({ description: 'When the deadline passed with runs active.' }),
    drainedAt: Timestamp.nullable(),
    trouble: z
      .string()
      .nullable()
      .meta({ description: 'What is wrong with the flag file or the ready file.' }),
    runs: z
      .array(z.object({ run: z.string(), state: RunState, worker: z.string() }))
      .meta({ description: 'Runs that are active.' }),
    waiting: z
      .number()
      .int()
      .meta({ description: 'Tasks that are queued or wait for their turn; 10001 are more than 10000.' }),
  })
  .meta({ id: 'Drain' });
export type Drain = z.infer<typeof Drain>;

/** What one task may wait for. */
const WAITS_FOR = [
  'drain',
  'approval',
  'retry',
  'budget',
  'secrets',
  'repository',
  'quiet-hours',
  'change',
  'limit',
  'worker',
  'room',
] as const;

export const Explanation = z
  .object({
    task: TaskId,
    state: TaskState,
    pendingReason: PendingReason.nullable(),
    summary: z.string().meta({ description: 'The state of the task in one sentence.' }),
    waits: z
      .array(
        z.object({
          for: z.enum(WAITS_FOR),
          why: z.string(),
          remedy: z.string().meta({ description: 'What would change it.' }),
          tasks: z.array(TaskId).meta({ description: 'Tasks that stand in its way, the next ones first.' }),
        }),
      )
      .meta({ description: 'All that keeps it from running; empty when a worker may take it now.' }),
    place: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Its place among the queued tasks, from 1; null when it is not queued.' }),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof Explanation>;
export type Wait = Explanation['waits'][number];

export const DeadLetter = z
  .object({
    task: TaskId,
    project: Name,
    title: z.string(),
    run: z.string().nullable().meta({ description: 'The last one.' }),
    why: z.enum(['retries-used-up', 'refused', 'out-of-budget']).meta({
      description: '`refused`: another try would end the same way.',
    }),
    cause: RunCause.nullable(),
    retries: z.record(z.string(), z.number().int()).meta({ description: 'Retries used, by cause.' }),
    reason: z.string().nullable(),
    finishedAt: Timestamp,
  })
  .meta({ id: 'DeadLetter' });
export type DeadLetter = z.infer<typeof DeadLetter>;
