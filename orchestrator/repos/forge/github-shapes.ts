// What is read of GitHub's answers. Used by the github-*.ts files.
import { z } from 'zod';
import type { ListedRepository } from './forge.ts';

const User = z.object({ login: z.string() });

export const Repository = z.object({
  full_name: z.string(),
  owner: User,
  clone_url: z.string(),
  default_branch: z.string(),
  archived: z.boolean(),
  private: z.boolean(),
  has_pull_requests: z.boolean().optional(),
  permissions: z.object({ push: z.boolean() }).optional(),
  allow_merge_commit: z.boolean().optional(), // these three are told to those who may push alone
  allow_squash_merge: z.boolean().optional(),
  allow_rebase_merge: z.boolean().optional(),
});
export type Repository = z.infer<typeof Repository>;

/** A repository as `project import` sees it. */
export function listed(repository: Repository): ListedRepository {
  const { full_name: path, clone_url: cloneUrl, default_branch: defaultBranch, archived } = repository;
  return { path, cloneUrl, defaultBranch, archived, private: repository.private };
}

export const PullRequest = z.object({
  number: z.number(),
  node_id: z.string(),
  html_url: z.string(),
  title: z.string(),
  body: z.string().nullable(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().default(false),
  merged_at: z.string().nullable(),
  merge_commit_sha: z.string().nullish(),
  mergeable_state: z.string().nullish(),
  mergeable: z.boolean().nullish(), // null while it is being found out; a list does not have it
  user: User.nullable(),
  head: z.object({ ref: z.string(), sha: z.string(), repo: z.object({ id: z.number() }).nullable() }),
  base: z.object({ ref: z.string(), repo: z.object({ id: z.number() }) }),
  labels: z.array(z.object({ name: z.string() })),
  requested_reviewers: z.array(User).nullish(),
  requested_teams: z.array(z.object({ slug: z.string() })).nullish(),
});
export type PullRequest = z.infer<typeof PullRequest>;

export const Status = z.object({
  context: z.string(),
  state: z.string(),
  description: z.string().nullable(),
});

export const CheckRun = z.object({
  id: z.number(),
  name: z.string(),
  conclusion: z.string().nullable(),
  output: z.object({ title: z.string().nullable() }),
});

export const CheckRuns = z
  .object({ check_runs: z.array(CheckRun) })
  .transform(({ check_runs: checkRuns }) => checkRuns);

export const Issue = z.object({
  number: z.number(),
  html_url: z.string(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']),
  user: User.nullable(),
  labels: z.array(z.union([z.string(), z.object({ name: z.string() })])),
  pull_request: z.unknown().optional(),
});

export const Comment = z.object({ user: User.nullable(), body: z.string().nullish() });

export const Installation = z.object({ id: z.number(), account: User.nullable() });

export const InstallationToken = z.object({
  token: z.string(),
  expires_at: z.string(),
  permissions: z.record(z.string(), z.string()).default({}),
});

export const InstalledRepositories = z
  .object({ repositories: z.array(Repository) })
  .transform(({ repositories }) => repositories);

export const GraphQlAnswer = z.object({
  errors: z.array(z.object({ message: z.string(), type: z.string().optional() })).optional(),
});
