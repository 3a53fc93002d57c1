// What happened in a repository on GitHub since a time, asked for: for boxes that no webhook reaches. Answers that are as they
// were cost nothing of the rate limit, by their ETags. Used by github-repository.ts.
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
import { ASSOCIATED, FAILED } from './github-facts.ts';

const User = z.object({ login: z.string() }).nullish();
const Text = z
  .string()
  .nullish()
  .transform((text) => text ?? '');
const Issue = z.object({
  number: z.int(),
  html_url: z.string(),
  title: z.string(),
  body: Text,
  user: User,
  labels: z.array(z.union([z.string(), z.object({ name: z.string() })])),
  assignees: z.array(z.object({ login: z.string() })).nullish(),
  author_association: z.string().nullish(),
  updated_at: z.string(),
  pull_request: z.unknown().optional(),
});
const Happened = z.object({
  event: z.string(),
  actor: User,
  label: z.object({ name: z.string() }).nullish(),
  assignee: User,
});
const Comment = z.object({
  id: z.int(),
  html_url: z.string(),
  user: User,
  body: Text,
  created_at: z.string(),
});
const Review = z.object({
  id: z.int(),
  user: User,
  state: z.string(),
  body: Text,
  html_url: z.string(),
  submitted_at: z.string().nullish(),
});
const Line = Comment.extend({ path: z.string(), line: z.int().nullish() });
const Runs = z.object({
  check_runs: z.array(
    z.object({
      name: z.string(),
      conclusion: z.string().nullable(),
      html_url: z.string().nullish(),
      completed_at: z.string().nullish(),
      app: z.object({ slug: z.string().nullish() }).nullish(),
      output: z.object({ title: Text, summary: Text }).nullish(),
    }),
  ),
});
const Combined = z.object({
  statuses: z.array(
    z.object({
      context: z.string(),
      state: z.string(),
      description: Text,
      target_url: z.string().nullish(),
      updated_at: z.string(),
    }),
  ),
});

interface At {
  api: ForgeApi;
  repository: string;
  path: string;
  signal: AbortSignal | undefined;
}

/** All that a query asks for. */
export async function githubActivity(
  api: ForgeApi,
  repository: string,
  path: string,
  query: ActivityQuery,
  signal?: AbortSignal,
): Promise<ForgeFact[]> {
  const at = { api, repository, path, signal };
  const facts = [...(await issues(at, query)), ...(await comments(at, query))];
  for (const change of query.changes)
    facts.push(...(await reviews(at, change.number, query.since)), ...(await checks(at, change)));
  return facts;
}

async function issues({ api, repository, path, signal }: At, query: ActivityQuery): Promise<ForgeFact[]> {
  const found = new Map<number, z.infer<typeof Issue>>();
  const common = { state: 'open', since: query.since.toISOString() };
  const filters = [
    ...query.labels.map((labels) => ({ labels })),
    ...(query.assignee === null ? [] : [{ assignee: query.assignee }]),
  ];
  for (const filter of filters) {
    const options = { answer: z.array(Issue), query: { ...common, ...filter }, signal };
    for (const issue of await api.all(`${repository}/issues`, options))
      if (issue.pull_request == null) found.set(issue.number, issue);
  }
  const facts: ForgeFact[] = [];
  for (const issue of found.values()) {
    const events = `${repository}/issues/${issue.number}/events`;
    const happened = await api.all(events, { answer: z.array(Happened), signal });
    const author = issue.user?.login ?? 'ghost';
    const by = whoMarked(happened.map(markOf), query) ?? author;
    const associated = ASSOCIATED.includes(issue.author_association ?? '');
    facts.push({
      what: 'issue',
      path,
      by,
      at: issue.updated_at,
      url: issue.html_url,
      number: issue.number,
      title: issue.title,
      text: issue.body,
      labels: issue.labels.map((label) => (typeof label === 'string' ? label : label.name)),
      assignees: (issue.assignees ?? []).map(({ login }) => login),
      byRight: associated || provesRight(by, author),
    });
  }
  return facts;
}

function markOf({ event, actor, label, assignee }: z.infer<typeof Happened>): Mark {
  const by = actor?.login;
  if (event === 'labeled') return { by, label: label?.name };
  return event === 'assigned' ? { by, assignee: assignee?.login } : { by };
}

// One list of all issues and pull requests; which of the two is told by the address alone.
async function comments(
  { api, repository, path, signal }: At,
  { since }: ActivityQuery,
): Promise<ForgeFact[]> {
  const options = { answer: z.array(Comment), query: { since: since.toISOString() }, signal };
  const all = await api.all(`${repository}/issues/comments`, options);
  return all.flatMap(({ id, html_url: url, user, body: text, created_at: at }) => {
    const place = /\/(issues|pull)\/(\d+)(#|$)/.exec(url);
    if (place === null) return [];
    const [onChange, number] = [place[1] === 'pull', Number(place[2])];
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
  const pull = `${repository}/pulls/${number}`;
  const facts: ForgeFact[] = [];
  for (const review of await api.all(`${pull}/reviews`, { answer: z.array(Review), signal })) {
    const state = review.state.toUpperCase();
    const asks = state === 'CHANGES_REQUESTED';
    if (!asks && (state !== 'COMMENTED' || review.body.trim() === '')) continue;
    if (new Date(review.submitted_at ?? 0) < since) continue;
    const { id, user, html_url: url, body: text, submitted_at: at } = review;
    const says = asks ? 'changes-requested' : 'commented';
    const by = user?.login ?? 'ghost';
    facts.push({
      what: 'review',
      path,
      by,
      at: at ?? null,
      url,
      number,
      id: String(id),
      text,
      says,
      place: null,
    });
  }
  const options = { answer: z.array(Line), query: { since: since.toISOString() }, signal };
  for (const comment of await api.all(`${pull}/comments`, options)) {
    const { id, user, html_url: url, body: text, created_at: at, path: file, line } = comment;
    const place = line == null ? file : `${file}:${line}`;
    const by = user?.login ?? 'ghost';
    facts.push({ what: 'review', path, by, at, url, number, id: `line-${id}`, text, says: 'line', place });
  }
  return facts;
}

async function checks(
  { api, repository, path, signal }: At,
  { commit, branch }: { commit: string; branch: string },
): Promise<ForgeFact[]> {
  const of = { what: 'check' as const, path, commit, branch };
  const route = `${repository}/commits/${commit}`;
  const runs = await api.request('GET', `${route}/check-runs`, {
    answer: Runs,
    query: { per_page: 100 },
    signal,
  });
  const statuses = await api.request('GET', `${route}/status`, { answer: Combined, signal });
  return [
    ...runs.check_runs
      .filter(({ name, conclusion }) => FAILED.includes(conclusion ?? '') && !name.startsWith(OWN_CHECKS))
      .map(({ name, html_url: url, completed_at: at, app, output }) => {
        const text = [output?.title, output?.summary].filter(Boolean).join('\n\n');
        return { ...of, by: app?.slug ?? 'github', at: at ?? null, url: url ?? '', name, text };
      }),
    ...statuses.statuses
      .filter(({ context, state }) => ['failure', 'error'].includes(state) && !context.startsWith(OWN_CHECKS))
      .map(({ context: name, description: text, target_url: url, updated_at: at }) => {
        return { ...of, by: 'github', at, url: url ?? '', name, text };
      }),
  ];
}
