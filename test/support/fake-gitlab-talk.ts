// What people say and do at the stand-in for GitLab: issues, label events, notes, a project's events, pipelines, as
// docs.gitlab.com/api documents them, and notes and emoji of ours. Used by fake-gitlab-routes.ts.
import { seen } from './fake-gitlab-routes.ts';
import type { Call } from './fake-gitlab-routes.ts';
import { Refusal, shownUser } from './fake-gitlab-state.ts';
import type { Issue, MergeRequest, Note } from './fake-gitlab-state.ts';

type Handler = (call: Call) => unknown;

const EARLIER = '2026-01-01T00:00:00.000Z';
let ids = 7000;

function known(note: Note): Note & { id: number; at: string; emoji: string[] } {
  note.id ??= ++ids;
  note.at ??= new Date().toISOString();
  note.emoji ??= [];
  return note as Note & { id: number; at: string; emoji: string[] };
}

function issueOf(call: Call): Issue {
  const found = seen(call).issues.find(({ iid }) => String(iid) === call.parameters[1]);
  if (found === undefined) throw new Refusal(404, { message: '404 Issue Not Found' });
  return found;
}

function requestOf(call: Call): MergeRequest {
  const found = seen(call).requests.find(({ iid }) => String(iid) === call.parameters[1]);
  if (found === undefined) throw new Refusal(404, { message: '404 Not found' });
  return found;
}

function shownNote({ state }: Call, note: Note): object {
  const { id, at, body, system, author, line } = known(note);
  const place =
    line === undefined
      ? { type: null }
      : { type: 'DiffNote', position: { new_path: line.path, new_line: line.line } };
  return { id, body, system, author: shownUser(state, author), created_at: at, ...place };
}

const listNotes =
  (of: (call: Call) => { notes: Note[] }): Handler =>
  (call) => {
    const all = of(call).notes.map((note) => shownNote(call, note));
    return call.url.searchParams.get('sort') === 'asc' ? all : all.toReversed();
  };

const addNote =
  (of: (call: Call) => { notes: Note[] }): Handler =>
  (call) => {
    const about = of(call);
    if ((seen(call).members.get(call.user) ?? 0) < 20) throw new Refusal(403, { message: '403 Forbidden' });
    if ('locked' in about && about.locked === true) throw new Refusal(403, { message: '403 Forbidden' });
    const note: Note = { author: call.user, body: call.input.body ?? '', system: false };
    about.notes.push(note);
    return shownNote(call, note);
  };

function noteOf(call: Call, notes: Note[]) {
  const found = notes.find((note) => String(known(note).id) === call.parameters[2]);
  if (found === undefined) throw new Refusal(404, { message: '404 Not found' });
  return known(found);
}

const changeNote: Handler = (call) => {
  const note = noteOf(call, issueOf(call).notes);
  if (note.author !== call.user) throw new Refusal(403, { message: '403 Forbidden' });
  note.body = call.input.body ?? '';
  return shownNote(call, note);
};

const giveEmoji =
  (of: (call: Call) => { notes: Note[] }): Handler =>
  (call) => {
    const { emoji } = noteOf(call, of(call).notes);
    const given = `${call.user} ${call.input.name}`;
    if (emoji.includes(given))
      throw new Refusal(404, { message: '404 Award Emoji Name has already been taken Not Found' });
    emoji.push(given);
    return { name: call.input.name };
  };

const listIssues: Handler = (call) => {
  const project = seen(call);
  const query = call.url.searchParams;
  const [labels, assignee, after] = ['labels', 'assignee_username', 'updated_after'].map((name) =>
    query.get(name),
  );
  return project.issues
    .filter(
      (issue) =>
        issue.state === (query.get('state') ?? issue.state) &&
        (labels == null || labels.split(',').every((label) => issue.labels.includes(label))) &&
        (assignee == null || issue.assignees?.includes(assignee) === true) &&
        (after == null || new Date(issue.changedAt ?? EARLIER) >= new Date(after)),
    )
    .map(({ iid, title, description, state, labels: names, ...issue }) => ({
      iid,
      title,
      description,
      state,
      labels: names,
      author: shownUser(call.state, issue.author),
      assignees: (issue.assignees ?? []).map((name) => shownUser(call.state, name)),
      web_url: `${call.base}/${project.path}/-/issues/${iid}`,
      updated_at: issue.changedAt ?? EARLIER,
    }));
};

const listLabelEvents: Handler = (call) =>
  (issueOf(call).marks ?? []).map(({ by, label }) => ({
    action: 'add',
    user: shownUser(call.state, by),
    label: { name: label },
  }));

// Of the days after the one that is named, the newest first.
const listEvents: Handler = (call) => {
  const project = seen(call);
  const after = call.url.searchParams.get('after') ?? '';
  const of = (kind: string, iid: number, notes: Note[]) =>
    notes.map(known).map((note) => ({
      action_name: 'commented on',
      author: shownUser(call.state, note.author),
      note: {
        id: note.id,
        body: note.body,
        system: note.system,
        noteable_type: kind,
        noteable_iid: iid,
        created_at: note.at,
      },
    }));
  return [
    ...project.issues.flatMap(({ iid, notes }) => of('Issue', iid, notes)),
    ...project.requests.flatMap(({ iid, notes }) => of('MergeRequest', iid, notes)),
  ]
    .filter(({ note }) => note.created_at.slice(0, 10) > after)
    .toSorted((one, other) => other.note.created_at.localeCompare(one.note.created_at));
};

const listPipelines: Handler = (call) =>
  (requestOf(call).pipelines ?? []).map(({ sha, status, source }, index) => ({
    id: index + 1,
    sha,
    ref: requestOf(call).source,
    status,
    source,
    web_url: `${call.base}/${seen(call).path}/-/pipelines/${index + 1}`,
    updated_at: EARLIER,
  }));

/** Method and path of each. */
export const TALK_ROUTES: [string, Handler][] = [
  [
    'GET /groups/:id/members/all',
    ({ state, parameters }) => {
      const members = state.groups.get(parameters[0]!);
      if (members === undefined) throw new Refusal(404, { message: '404 Group Not Found' });
      return members.map((name) => shownUser(state, name));
    },
  ],
  ['GET /projects/:id/issues', listIssues],
  ['GET /projects/:id/issues/:iid/resource_label_events', listLabelEvents],
  ['GET /projects/:id/issues/:iid/notes', listNotes(issueOf)],
  ['POST /projects/:id/issues/:iid/notes', addNote(issueOf)],
  ['PUT /projects/:id/issues/:iid/notes/:note', changeNote],
  ['POST /projects/:id/issues/:iid/notes/:note/award_emoji', giveEmoji(issueOf)],
  ['GET /projects/:id/events', listEvents],
  [
    'GET /projects/:id/merge_requests/:iid/approvals',
    (call) => ({
      approved: (requestOf(call).approvedBy ?? []).length > 0,
      approved_by: (requestOf(call).approvedBy ?? []).map((name) => ({ user: shownUser(call.state, name) })),
    }),
  ],
  [
    'GET /projects/:id/merge_requests/:iid/reviewers',
    (call) =>
      (requestOf(call).asks ?? []).map((name) => ({
        user: shownUser(call.state, name),
        state: 'requested_changes',
      })),
  ],
  ['GET /projects/:id/merge_requests/:iid/notes', listNotes(requestOf)],
  ['POST /projects/:id/merge_requests/:iid/notes', addNote(requestOf)],
  ['POST /projects/:id/merge_requests/:iid/notes/:note/award_emoji', giveEmoji(requestOf)],
  ['GET /projects/:id/merge_requests/:iid/pipelines', listPipelines],
];
