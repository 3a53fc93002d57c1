// Facts in deliveries of GitLab's webhooks. Used by gitlab.ts.
import { z } from 'zod';
import { OWN_CHECKS, provesRight, type ForgeFact } from './facts.ts';

const Project = z.object({ path_with_namespace: z.string() });
const User = z.object({ id: z.int().nullish(), username: z.string() });
const Text = z
  .string()
  .nullish()
  .transform((text) => text ?? '');

const IssueHook = z.object({
  object_kind: z.literal('issue'),
  user: User,
  project: Project,
  object_attributes: z.object({
    iid: z.int(),
    url: z.string(),
    title: z.string(),
    description: Text,
    state: z.string(),
    action: z.string().nullish(),
    author_id: z.int().nullish(),
    updated_at: z.string().nullish(),
  }),
  labels: z.array(z.object({ title: z.string() })).nullish(),
  assignees: z.array(User).nullish(),
});
const NoteHook = z.object({
  object_kind: z.literal('note'),
  user: User,
  project: Project,
  object_attributes: z.object({
    id: z.int(),
    note: z.string(),
    noteable_type: z.string(),
    type: z.string().nullish(),
    system: z.boolean().nullish(),
    action: z.string().nullish(),
    url: z.string(),
    created_at: z.string(),
    position: z.object({ new_path: z.string().nullish(), new_line: z.int().nullish() }).nullish(),
  }),
  issue: z.object({ iid: z.int() }).nullish(),
  merge_request: z.object({ iid: z.int() }).nullish(),
});
const PipelineHook = z.object({
  object_kind: z.literal('pipeline'),
  user: User.nullish(),
  project: Project.extend({ web_url: z.string().nullish() }),
  object_attributes: z.object({
    id: z.int(),
    ref: z.string(),
    sha: z.string(),
    status: z.string(),
    source: z.string().nullish(),
    finished_at: z.string().nullish(),
    url: z.string().nullish(),
  }),
  builds: z.array(z.object({ name: z.string(), stage: z.string(), status: z.string() })).nullish(),
});

const ReviewersHook = z.object({
  user: User,
  project: Project,
  object_attributes: z.object({
    iid: z.int(),
    url: z.string(),
    updated_at: z.string().nullish(),
    last_commit: z.object({ id: z.string() }),
  }),
  changes: z.object({
    reviewers: z.object({
      current: z.array(z.object({ username: z.string(), state: z.string().nullish() })),
    }),
  }),
});

/** What a delivery tells; nothing where it is about something else. Throws where it is not what it says. */
export function gitlabFacts(_event: string, body: unknown): ForgeFact[] {
  const kind = z.object({ object_kind: z.string() }).safeParse(body).data?.object_kind;
  if (kind === 'issue') return issueFacts(IssueHook.parse(body));
  if (kind === 'note') return noteFacts(NoteHook.parse(body));
  if (kind === 'merge_request') return reviewerFacts(ReviewersHook.safeParse(body).data);
  if (kind === 'pipeline') return pipelineFacts(PipelineHook.parse(body));
  return [];
}

function issueFacts({
  user,
  project,
  object_attributes: issue,
  labels,
  assignees,
}: z.infer<typeof IssueHook>): ForgeFact[] {
  if (issue.state !== 'opened') return [];
  return [
    {
      what: 'issue',
      path: project.path_with_namespace,
      by: user.username,
      at: time(issue.updated_at),
      url: issue.url,
      number: issue.iid,
      title: issue.title,
      text: issue.description,
      labels: (labels ?? []).map(({ title }) => title),
      assignees: (assignees ?? []).map(({ username }) => username),
      byRight: provesRight(String(user.id ?? ''), String(issue.author_id ?? '')),
    },
  ];
}

function noteFacts({ user, project, object_attributes: note, ...of }: z.infer<typeof NoteHook>): ForgeFact[] {
  const number = of.issue?.iid ?? of.merge_request?.iid;
  if (number === undefined || note.system === true || (note.action ?? 'create') !== 'create') return [];
  const common = {
    path: project.path_with_namespace,
    by: user.username,
    at: time(note.created_at),
    url: note.url,
    number,
    text: note.note,
    id: String(note.id),
  };
  if (note.type !== 'DiffNote') return [{ what: 'comment', ...common, onChange: of.merge_request != null }];
  return [{ what: 'review', ...common, says: 'line', place: placeOf(note.position) }];
}

// What the reviewer says to it are notes of their own.
function reviewerFacts(hook: z.infer<typeof ReviewersHook> | undefined): ForgeFact[] {
  if (hook === undefined) return [];
  const { user, project, object_attributes: request, changes } = hook;
  const { username: by } = user;
  const reviewer = changes.reviewers.current.find(({ username }) => username === by);
  if (reviewer?.state !== ASKS) return [];
  const { iid: number, url, updated_at: at } = request;
  const path = project.path_with_namespace;
  return [changesRequested({ path, by, at: time(at), url, number }, request.last_commit.id)];
}

/** State of a reviewer who wants something else. */
export const ASKS = 'requested_changes';

/** That a reviewer asks for changes: once of a commit, since GitLab has no number for it. */
export function changesRequested(
  of: Pick<Extract<ForgeFact, { what: 'review' }>, 'path' | 'by' | 'at' | 'url' | 'number'>,
  commit: string,
): ForgeFact {
  const id = `asks-${of.by.toLowerCase()}-${commit.slice(0, 12)}`;
  return { what: 'review', ...of, id, text: '', says: 'changes-requested', place: null };
}

/** Where a note stands in a diff. */
export function placeOf(
  position: { new_path?: string | null | undefined; new_line?: number | null | undefined } | null | undefined,
): string | null {
  if (position?.new_path == null) return null;
  return `${position.new_path}${position.new_line == null ? '' : `:${position.new_line}`}`;
}

// Our own statuses are an external pipeline of the commit.
function pipelineFacts({
  user,
  project,
  object_attributes: pipeline,
  builds,
}: z.infer<typeof PipelineHook>): ForgeFact[] {
  if (pipeline.status !== 'failed' || pipeline.source === 'external') return [];
  const failed = (builds ?? []).filter(
    ({ status, name }) => status === 'failed' && !name.startsWith(OWN_CHECKS),
  );
  return [
    {
      what: 'check',
      path: project.path_with_namespace,
      by: user?.username ?? 'gitlab',
      at: time(pipeline.finished_at),
      url: pipeline.url ?? `${project.web_url ?? ''}/-/pipelines/${pipeline.id}`,
      commit: pipeline.sha,
      branch: pipeline.ref,
      name: 'pipeline',
      text: failed.map(({ stage, name }) => `Failed: ${stage}/${name}`).join('\n'),
    },
  ];
}

// As `2015-05-17 18:08:09 UTC` in deliveries.
function time(text: string | null | undefined): string | null {
  const told = new Date(text ?? '');
  return Number.isNaN(told.getTime()) ? null : told.toISOString();
}
