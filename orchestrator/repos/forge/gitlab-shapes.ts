// What GitLab's API answers, as far as it is used. Used by gitlab.ts, gitlab-repository.ts and gitlab-merge.ts.
import { z } from 'zod';

export const User = z.object({ id: z.number(), username: z.string() });

export const Project = z.object({
  id: z.number(),
  path_with_namespace: z.string(),
  http_url_to_repo: z.string(),
  default_branch: z.string().nullish(), // null where there is no commit yet
  archived: z.boolean(),
  visibility: z.string(),
  merge_method: z.enum(['merge', 'rebase_merge', 'ff']).nullish(),
  squash_option: z.string().nullish(), // never, always, default_on, default_off
  merge_requests_enabled: z.boolean().nullish(),
});
export type Project = z.infer<typeof Project>;

export const MergeRequest = z.object({
  iid: z.number(),
  web_url: z.string(),
  title: z.string(),
  description: z.string().nullish(),
  state: z.enum(['opened', 'closed', 'locked', 'merged']), // locked: while it is merged
  draft: z.boolean().nullish(),
  author: User,
  reviewers: z.array(User).nullish(),
  labels: z.array(z.string()),
  target_branch: z.string(),
  sha: z.string().nullish(),
  merge_status: z.string(),
  detailed_merge_status: z.string().nullish(), // since 15.6
  has_conflicts: z.boolean().nullish(),
  rebase_in_progress: z.boolean().nullish(),
  merge_error: z.string().nullish(),
  merge_commit_sha: z.string().nullish(),
  squash_commit_sha: z.string().nullish(),
});
export type MergeRequest = z.infer<typeof MergeRequest>;

export const Status = z.object({ name: z.string(), status: z.string(), description: z.string().nullish() });

export const Issue = z.object({
  iid: z.number(),
  web_url: z.string(),
  title: z.string(),
  description: z.string().nullish(),
  state: z.string(),
  author: User,
  labels: z.array(z.string()),
});

export const Note = z.object({ author: User, body: z.string(), system: z.boolean() });

const DRAFT = 'Draft: ';
const TITLE_MAX = 255;

/** The title of a merge request, which tells whether it is a draft. */
export function titled(title: string, isDraft: boolean): string {
  const plain = title.replace(/^\s*(draft:|\[draft\]|\(draft\))\s*/i, '');
  return (isDraft ? DRAFT + plain : plain).slice(0, TITLE_MAX);
}
