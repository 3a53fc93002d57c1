// What happened in a project on GitLab since a time, asked for: for boxes that no webhook reaches. Used by gitlab-repository.ts.
import { z } from 'zod';
import { provesRight, type ActivityQuery, type ForgeFact } from './facts.ts';
import type { ForgeApi } from './forge-http.ts';
import { ASKS, changesRequested, placeOf } from './gitlab-facts.ts';
import { isRefusal } from './pull-requests.ts';

const User = z.object({ username: z.string() });
const Issue = z.object({
  iid: z.int(),
  web_url: z.string(),
  title: z.string(),
  description: z.string().nullish(),
  author: User,
  labels: z.array(z.string()),
  assignees: z.array(User).nullish(),
  updated_at: z.string(),
});
const LabelEvent = z.object({
  action: z.string(),
  user: User.nullish(),
  label: z.object({ name: z.string() }).nullish(),
});
const Note = z.object({
  id: z.int(),
  type: z.string().nullish(),
  body: z.string(),
  system: z.boolean(),
  author: User,
  created_at: z.string(),
  position: z.object({ new_path: z.string().nullish(), new_line: z.int().nullish() }).nullish(),
});
const Event = z.object({
  author: User,
  note: z
    .object({
      id: z.int(),
      body: z.string(),
      system: z.boolean(),
      noteable_type: z.string(),
      noteable_iid: z.int().nullish(),
      created_at: z.string(),
    })
    .nullish(),
});
const Reviewer = z.object({ user: User, state: z.string() });
const Pipeline = z.object({
  sha: z.string(),
  ref: z.string(),
  status: z.string(),
  source: z.string().nullish(),
  web_url: z.string(),
  updated_at: z.string().nullish(),
});

interface At {
  api: ForgeApi;
  /** Of the project: its path, its address below the API and for people. */
  path: string;
  project: string;
  web: string;
  signal: AbortSignal | undefined;
}

/** All that a query asks for. */
export async function gitlabActivity(at: At, query: ActivityQuery): Promise<ForgeFact[]> {
  const facts = [...(await issues(at, query)), ...(await issueNotes(at, query))];
  for (const { number, commit } of query.changes)
    facts.push(
      ...(await requestNotes(at, number, query.since)),
      ...(await reviewers(at, number, commit)),
      ...(await pipelines(at, number, commit)),
    );
  return facts;
}

async function issues({ api, project, path, signal }: At, query: ActivityQuery): Promise<ForgeFact[]> {
  const found = new Map<number, z.infer<typeof Issue>>();
  const common = { state: 'opened', scope: 'all', updated_after: query.since.toISOString() };
  const filters = [
    ...query.labels.map((labels) => ({ labels })),
    ...(query.assignee === null ? [] : [{ assignee_username: query.assignee }]),
  ];
  for (const filter of filters) {
    const options = { answer: z.array(Issue), query: { ...common, ...filter }, signal };
    for (const issue of await api.all(`${project}/issues`, options)) found.set(issue.iid, issue);
  }
  const wanted = query.labels.map((label) => label.toLowerCase());
  const facts: ForgeFact[] = [];
  for (const issue of found.values()) {
    const events = `${project}/issues/${issue.iid}/resource_label_events`;
    const set = await api.all(events, { answer: z.array(LabelEvent), signal });
    const last = set.findLast(
      ({ action, label }) => action === 'add' && wanted.includes(label?.name.toLowerCase() ?? ''),
    );
    const by = last?.user?.username ?? issue.author.username;
    facts.push({
      what: 'issue',
      path,
      by,
      at: issue.updated_at,
      url: issue.web_url,
      number: issue.iid,
      title: issue.title,
      text: issue.description ?? '',
      labels: issue.labels,
      assignees: (issue.assignees ?? []).map(({ username }) => username),
      byRight: provesRight(by, issue.author.username),
    });
  }
  return facts;
}

// Comments of all issues are in the project's events alone, which are asked for by days.
async function issueNotes(
  { api, project, path, web, signal }: At,
  { since }: ActivityQuery,
): Promise<ForgeFact[]> {
  const after = new Date(since.getTime() - 24 * 60 * 60_000).toISOString().slice(0, 10);
  const options = { answer: z.array(Event), query: { target_type: 'note', after }, signal };
  return (await api.all(`${project}/events`, options)).flatMap(({ author, note }) => {
    if (note == null || note.system || note.noteable_type !== 'Issue' || note.noteable_iid == null) return [];
    if (new Date(note.created_at) < since) return [];
    const { id, body: text, noteable_iid: number, created_at: at } = note;
    const url = `${web}/-/issues/${number}#note_${id}`;
    return [
      { what: 'comment', path, by: author.username, at, url, number, id: String(id), text, onChange: false },
    ];
  });
}

async function requestNotes(
  { api, project, path, web, signal }: At,
  number: number,
  since: Date,
): Promise<ForgeFact[]> {
  const options = { answer: z.array(Note), query: { order_by: 'created_at', sort: 'asc' }, signal };
  const notes = await api.all(`${project}/merge_requests/${number}/notes`, options);
  return notes
    .filter(({ system, created_at: at }) => !system && new Date(at) >= since)
    .map(({ id, type, body: text, author, created_at: at, position }) => {
      const url = `${web}/-/merge_requests/${number}#note_${id}`;
      const common = { path, by: author.username, at, url, number, id: String(id), text };
      return type === 'DiffNote'
        ? { what: 'review' as const, ...common, says: 'line' as const, place: placeOf(position) }
        : { what: 'comment' as const, ...common, onChange: true };
    });
}

// A GitLab before 15.3 does not tell.
async function reviewers(
  { api, project, path, web, signal }: At,
  number: number,
  commit: string,
): Promise<ForgeFact[]> {
  const route = `${project}/merge_requests/${number}/reviewers`;
  const all = await api.all(route, { answer: z.array(Reviewer), signal }).catch((error: unknown) => {
    if (isRefusal(error)) return [];
    throw error;
  });
  const url = `${web}/-/merge_requests/${number}`;
  return all
    .filter(({ state }) => state === ASKS)
    .map(({ user }) => changesRequested({ path, by: user.username, at: null, url, number }, commit));
}

// Our own statuses are an external pipeline of the commit.
async function pipelines(
  { api, project, path, signal }: At,
  number: number,
  commit: string,
): Promise<ForgeFact[]> {
  const all = await api.all(`${project}/merge_requests/${number}/pipelines`, {
    answer: z.array(Pipeline),
    signal,
  });
  const newest = all.find(({ sha, source }) => sha === commit && source !== 'external');
  if (newest?.status !== 'failed') return [];
  const { ref: branch, web_url: url, updated_at: at } = newest;
  return [
    { what: 'check', path, by: 'gitlab', at: at ?? null, url, commit, branch, name: 'pipeline', text: '' },
  ];
}
