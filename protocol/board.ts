// The board of tasks: its columns, and a task as a card of it. Used by api/ and by the page.
import { z } from 'zod';
import { Mergeable, ReviewState } from './change.ts';
import { Name, TaskId, Timestamp } from './ids.ts';
import { PendingReason, TASK_KINDS, TaskState } from './task.ts';
import { text } from './text.ts';

/** From left to right: what waits for something, then through the queue and a run to the end. */
export const BOARD_COLUMNS = ['waiting', 'queued', 'running', 'review', 'done', 'failed'] as const;
export const BoardColumn = z.enum(BOARD_COLUMNS).meta({
  id: 'BoardColumn',
  description:
    '`review`: completed, with a change that is open. `done`: other completed tasks, and cancelled ones.',
});
export type BoardColumn = z.infer<typeof BoardColumn>;

export const BoardFilter = z.object({
  project: Name.optional(),
  agent: Name.optional(),
  source: Name.optional().meta({ description: 'The source of intake that it came from, or `api`.' }),
  text: text().max(200).optional().meta({ description: 'Part of its title, or its number.' }),
});
export type BoardFilter = z.infer<typeof BoardFilter>;

export const Card = z
  .object({
    id: TaskId,
    project: z.string(),
    title: z.string(),
    column: BoardColumn,
    state: TaskState,
    pendingReason: PendingReason.nullable(),
    reason: z.string().nullable(),
    priority: z.number().int(),
    kind: z.enum(TASK_KINDS),
    agent: z.string(),
    model: z.string(),
    source: z
      .string()
      .meta({ description: 'The source of intake that it came from; `api`: a person or a program.' }),
    attempt: z.number().int(),
    currentRun: z.string().nullable(),
    changes: z.array(
      z.object({
        id: z.number().int(),
        state: z.enum(['open', 'merged', 'closed']),
        review: ReviewState,
        mergeable: Mergeable,
      }),
    ),
    place: Timestamp.meta({ description: 'Those queued go in this order, the smallest first.' }),
    createdBy: z.string(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Card' });
export type Card = z.infer<typeof Card>;

export const Board = z
  .object({
    columns: z.array(
      z.object({
        column: BoardColumn,
        count: z.number().int().meta({ description: 'Of all its tasks that pass the filter.' }),
        cards: z.array(Card).meta({ description: 'The first of them; `GET /cards` has the others.' }),
      }),
    ),
    priorityMinutes: z
      .number()
      .meta({ description: 'Minutes of waiting that one step of priority outweighs.' }),
  })
  .meta({ id: 'Board' });
export type Board = z.infer<typeof Board>;
