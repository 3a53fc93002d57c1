// What happened in a repository on a Gitea server since a time, asked for: for boxes that no webhook reaches, and for the
// comments of reviews, which no webhook tells. Used by gitea-repository.ts.
import { z } from 'zod';
import {
  OWN_CHECKS,
  provesRight,
  whoMarked,
  type ActivityQuery,
  type ForgeFact,
  type Mark,
} from './facts.ts';
import type { ForgeApi } from './forge-http.ts';
import { reviewId } from './gitea-facts.ts';

const User = z.object({ login: z.string() });
const Issue = z.object({
  number: z.int(),
  html_url: z.string(),
  title: z.string(),
  body: z.string(),
  user: User,
  labels: z.array(z.object({ name: z.string() })).nullish(),
  assignees: z.array(User).nullish(),
  updated_at: z.string(),
});
const Happened = z.object({
  type: z.string(),
  user: User.nullish(),
  label: z.object({ name: z.string() }).nullish(),
  assignee: User.nullish(),
});
// A page after the last is `null`.
const Timeline = z
  .array(Happened)
  .nullable()
  .transform((happened) => happened ?? []);
const Comment = z.object({
  id: z.int(),
  html_url: z.string(),
  issue_url: z.string().nullish(),
  pull_request_url: z.string().nullish(),
  user: User.nullish(),
  body: z.string(),
  created_at: z.string(),
});
const Review = z.object({
  id: z.int(),
  user: User.nullish(),
  state: z.string(),
  body: z.string(),
  html_url: z.string(),
  commit_id: z.string(),
  submitted_at: z.string(),
  comments_count: z.int(),
});
const Line = z.object({
  id: z.int(),
  user: User.nullish(),
  body: z.string(),
  html_url: z.string(),
  path: z.string(),
  position: z.int().nullish(),
  created_at: z.string(),
});
const Status = z.object({
  context: z.string(),
  status: z.string(),
  description: z.string(),
  target_url: z.string().nullish(),
  creator: User.nullish(),
  updated_at: z.string(),
});

const SAYS = { REQUEST_CHANGES: 'changes-requested', COMMENT: 'commented' } as const;

/** All that a query asks for. */
export async function giteaActivity(
  api: ForgeApi,
  repository: string,
  path: string,
  query: ActivityQuery,
  signal?: AbortSignal,
): Promise<ForgeFact[]> {
  const at = { api, repository, path, signal };
  const facts = [...(await issues(at, query)), ...(await comments(at, query))];
  for (const change of query.changes) {
    facts.push(...(await reviews(at, change.number, query.since)), ...(await checks(at, change)));
  }
  return facts;
}

interface At {
  api: ForgeApi;
  repository: string;
  path: string;
  signal: AbortSignal | undefined;
}

async function issues({ api, repository, path, signal }: At, query: ActivityQuery): Promise<ForgeFact[]> {
  const found = new Map<number, z.infer<typeof Issue>>();
  const common = { type: 'issues', state: 'open', since: query.since.toISOString() };
  const filters = [
    ...query.labels.map((labels) => ({ labels })),
    ...(query.assignee === null ? [] : [{ assigned_by: query.assignee }]),
  ];
  for (const filter of filters) {
    const options = { answer: z.array(Issue), query: { ...common, ...filter }, signal };
    for (const issue of await api.all(`${repository}/issues`, options)) found.set(issue.number, issue);
  }
  const facts: ForgeFact[] = [];
  for (const issue of found.values()) {
    const timeline = `${repository}/issues/${issue.number}/timeline`;
    const happened = await api.all(timeline, { answer: Timeline, signal });
    const by = whoMarked(happened.map(markOf), query) ?? issue.user.login;
    facts.push({
      what: 'issue',
      path,
      by,
      at: issue.updated_at,
      url: issue.html_url,
      number: issue.number,
      title: issue.title,
      text: issue.body,
      labels: (issue.labels ?? []).map(({ name }) => name),
      assignees: (issue.assignees ?? []).map(({ login }) => login),
      byRight: provesRight(by, issue.user.login),
    });
  }
  return facts;
}

function markOf({ type, user, label, assignee }: z.infer<typeof Happened>): Mark {
  const by = user?.login;
  if (type === 'label') return { by, label: label?.name };
  return type === 'assignees' ? { by, assignee: assignee?.login } : { by };
}

async function comments(
  { api, repository, path, signal }: At,
  { since }: ActivityQuery,
): Promise<ForgeFact[]> {
  const options = { answer: z.array(Comment), query: { since: since.toISOString() }, signal };
  const all = await api.all(`${repository}/issues/comments`, options);
  return all.flatMap((comment) => {
    const onChange = Boolean(comment.pull_request_url);
    const number = Number(
      /\/(\d+)$/.exec((onChange ? comment.pull_request_url : comment.issue_url) ?? '')?.[1],
    );
    if (Number.isNaN(number)) return [];
    const { id, html_url: url, user, body: text, created_at: at } = comment;
    return [
      { what: 'comment', path, by: user?.login ?? 'ghost', at, url, number, id: String(id), text, onChange },
    ];
  });
}

async function reviews(
  { api, repository, path, signal }: At,
  number: number,
  since: Date,
): Promise<ForgeFact[]> {
  const route = `${repository}/pulls/${number}/reviews`;
  const facts: ForgeFact[] = [];
  for (const review of await api.all(route, { answer: z.array(Review), signal })) {
    const says = SAYS[review.state as keyof typeof SAYS];
    if (says === undefined || new Date(review.submitted_at) < since) continue;
    const { html_url: url, body: text, commit_id: commit, submitted_at: at } = review;
    const by = review.user?.login ?? 'ghost';
    const common = { what: 'review' as const, path, by, number };
    if (says === 'changes-requested' || text.trim() !== '')
      facts.push({ ...common, at, url, id: reviewId(by, says, commit, text), text, says, place: null });
    if (review.comments_count === 0) continue;
    const lines = await api.request('GET', `${route}/${review.id}/comments`, {
      answer: z.array(Line),
      signal,
    });
    for (const { id, body, html_url, path: file, position, created_at } of lines) {
      const place = position ? `${file}:${position}` : file;
      facts.push({
        ...common,
        at: created_at,
        url: html_url,
        id: `line-${id}`,
        text: body,
        says: 'line',
        place,
      });
    }
  }
  return facts;
}

async function checks(
  { api, repository, path, signal }: At,
  { commit, branch }: { commit: string; branch: string },
): Promise<ForgeFact[]> {
  const options = { answer: z.array(Status), query: { sort: 'recentupdate' }, signal };
  const all = await api.all(`${repository}/commits/${commit}/statuses`, options);
  const newest = [...new Map(all.toReversed().map((status) => [status.context, status])).values()];
  return newest
    .filter(({ context, status }) => ['failure', 'error'].includes(status) && !context.startsWith(OWN_CHECKS))
    .map(({ context: name, description: text, target_url: url, creator, updated_at: at }) => {
      return {
        what: 'check',
        path,
        by: creator?.login ?? 'ghost',
        at,
        url: url ?? '',
        commit,
        branch,
        name,
        text,
      };
    });
}
