// Changes: a branch and its pull request.
import { z } from 'zod';
import { CommitId, TaskId, Timestamp } from './ids.ts';
import { text } from './text.ts';

export const ChangeState = z.enum(['open', 'merged', 'closed']).meta({ id: 'ChangeState' });

export const ReviewState = z.enum(['none', 'commented', 'approved', 'changes-requested']).meta({
  id: 'ReviewState',
  description: 'By the reviews of the present version: one that asks for changes outweighs approvals.',
});
export type ReviewState = z.infer<typeof ReviewState>;

export const Mergeable = z.enum(['yes', 'conflicts', 'blocked', 'unknown']).meta({
  id: 'Mergeable',
  description:
    '`conflicts`: with its base branch. `blocked`: the forge wants something first. `unknown`: it was not found out yet.',
});
export type Mergeable = z.infer<typeof Mergeable>;

export const Review = z
  .object({
    by: z.string(),
    says: ReviewState.exclude(['none']),
    stale: z.boolean().meta({ description: 'It was given to an earlier version, and counts no more.' }),
  })
  .meta({ id: 'Review', description: 'The newest that somebody said in a review at the forge.' });
export type Review = z.infer<typeof Review>;

export const Change = z
  .object({
    id: z.number().int(),
    task: TaskId,
    run: z.string(),
    project: z.string(),
    repository: z.string().meta({ description: 'Name of the repository in its project.' }),
    forge: z.string(),
    branch: z.string(),
    baseBranch: z.string(),
    baseCommit: CommitId,
    headCommit: CommitId,
    title: z.string(),
    body: z.string(),
    state: ChangeState,
    number: z
      .number()
      .int()
      .nullable()
      .default(null)
      .meta({ description: 'Of its pull request; null where the forge has none.' }),
    url: z.string().nullable(),
    forgeHead: CommitId.nullable()
      .default(null)
      .meta({ description: 'Where its branch is at the forge, when somebody has moved it from headCommit.' }),
    trouble: z
      .string()
      .nullable()
      .default(null)
      .meta({ description: 'Why the forge could not be asked at the last try.' }),
    checks: z
      .object({ passed: z.number().int(), failed: z.number().int() })
      .nullable()
      .default(null)
      .meta({ description: "What became of its run's verify commands on the result." }),
    onto: z
      .number()
      .int()
      .nullable()
      .default(null)
      .meta({ description: 'The change of another task that it is built upon, and whose commits it has.' }),
    stuck: z.string().nullable().default(null).meta({
      description: 'Why it could not follow where the change below it went; tried again when that moves.',
    }),
    review: ReviewState.default('none'),
    reviews: z.array(Review).default([]),
    mergeable: Mergeable.default('unknown'),
    mergeReason: z.string().nullable().default(null).meta({
      description: 'What is in conflict, or what the forge wants first; null where it does not tell.',
    }),
    draft: z.boolean().default(false),
    createdAt: Timestamp,
    closedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Change' });
export type Change = z.infer<typeof Change>;

export const ChangeClose = z
  .strictObject({
    comment: text()
      .min(1)
      .max(60_000)
      .optional()
      .meta({ description: 'Said on its pull request before that is closed.' }),
  })
  .meta({ id: 'ChangeClose' });

export const ChangeResolve = z
  .strictObject({
    message: text()
      .min(1)
      .max(18_000)
      .optional()
      .meta({ description: 'To the agent, besides what the conflict is.' }),
  })
  .meta({ id: 'ChangeResolve' });
