// Changes: a branch and its pull request.
import { z } from 'zod';
import { CommitId, TaskId, Timestamp } from './ids.ts';

export const ChangeState = z.enum(['open', 'merged', 'closed']).meta({ id: 'ChangeState' });

export const Change = z
  .object({
    id: z.number().int(),
    task: TaskId,
    run: z.string(),
    project: z.string(),
    forge: z.string(),
    branch: z.string(),
    baseBranch: z.string(),
    baseCommit: CommitId,
    headCommit: CommitId,
    title: z.string(),
    body: z.string(),
    state: ChangeState,
    url: z.string().nullable(),
    createdAt: Timestamp,
    closedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Change' });
export type Change = z.infer<typeof Change>;
