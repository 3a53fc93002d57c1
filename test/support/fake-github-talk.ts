// What people say and do at the stand-in for GitHub: lists of issues, events, comments, reviews and checks, as
// docs.github.com/rest documents them, and comments and reactions of ours. Used by fake-github-routes.ts.
import type { Call } from './fake-github-routes.ts';
import { Refusal, rightOf, shownUser } from './fake-github-state.ts';
import type { Comment, Issue, Pull } from './fake-github-state.ts';

type Handler = (call: Call) => unknown;
type About = Issue | Pull;

let ids = 5000;

/** A comment with its number and times, which it gets when it is first looked at. */
export function known(comment: Comment): Required<Comment> {
  comment.id ??= ++ids;
  comment.at ??= new Date().toISOString();
  comment.changedAt ??= comment.at;
  comment.reactions ??= [];
  return comment as Required<Comment>;
}

export function shownComment({ state, repository }: Call, about: About, comment: Comment): object {
  const { id, author, body, at, changedAt } = known(comment);
  const kind = 'head' in about ? 'pull' : 'issues';
  const html_url = `${state.base}/${repository.path}/${kind}/${about.number}#issuecomment-${id}`;
  return { id, user: shownUser(author), body, html_url, created_at: at, updated_at: changedAt };
}

function isSince({ url }: Call, at: string): boolean {
  const since = url.searchParams.get('since');
  return since === null || new Date(at) >= new Date(since);
}

function aboutOf({ repository, parameters }: Call): About {
  const isWanted = ({ number }: { number: number }) => String(number) === parameters[0];
  const found = repository.issues.find(isWanted) ?? repository.pulls.find(isWanted);
  if (found === undefined) throw new Refusal(404, 'Not Found');
  if ('gone' in found && found.gone === true) throw new Refusal(410, 'This issue was deleted');
  return found;
}

const listIssues: Handler = (call) => {
  const { repository, state, url } = call;
  const query = url.searchParams;
  const [labels, assignee] = [query.get('labels'), query.get('assignee')];
  return repository.issues
    .filter(
      (issue) =>
        issue.gone !== true &&
        issue.state === (query.get('state') ?? 'open') &&
        isSince(call, issue.changedAt ?? EARLIER) &&
        (labels === null || labels.split(',').every((label) => hasName(issue.labels, label))) &&
        (assignee === null || hasName(issue.assignees ?? [], assignee)),
    )
    .map((issue) => ({
      number: issue.number,
      html_url: `${state.base}/${repository.path}/issues/${issue.number}`,
      title: issue.title,
      body: issue.body,
      state: issue.state,
      user: shownUser(issue.author),
      labels: issue.labels.map((name) => ({ name })),
      assignees: (issue.assignees ?? []).map(shownUser),
      author_association: rightOfAuthor(call, issue.author),
      created_at: EARLIER,
      updated_at: issue.changedAt ?? EARLIER,
    }));
};

const EARLIER = '2026-01-01T00:00:00Z';

function hasName(names: string[], wanted: string): boolean {
  return names.some((name) => name.toLowerCase() === wanted.toLowerCase());
}

function rightOfAuthor({ repository }: Call, user: string): string {
  return repository.members.has(user) ? 'COLLABORATOR' : 'NONE';
}

const listEvents: Handler = (call) => {
  const about = aboutOf(call);
  return ('marks' in about ? (about.marks ?? []) : []).map(({ by, label, assignee }) => ({
    event: label === undefined ? 'assigned' : 'labeled',
    actor: shownUser(by),
    ...(label === undefined ? {} : { label: { name: label } }),
    ...(assignee === undefined ? {} : { assignee: shownUser(assignee) }),
  }));
};

const listAllComments: Handler = (call) =>
  [...call.repository.issues, ...call.repository.pulls].flatMap((about) =>
    about.comments
      .filter((comment) => isSince(call, known(comment).changedAt))
      .map((comment) => shownComment(call, about, comment)),
  );

const listComments: Handler = (call) => {
  const about = aboutOf(call);
  return about.comments
    .filter((comment) => isSince(call, known(comment).changedAt))
    .map((comment) => shownComment(call, about, comment));
};

const addComment: Handler = (call) => {
  const { token, repository, input } = call;
  const about = aboutOf(call);
  const permission = 'head' in about ? 'pull_requests' : 'issues';
  if (token.permissions !== null && token.permissions[permission] !== 'write')
    throw new Refusal(403, 'Resource not accessible by personal access token');
  if ('locked' in about && about.locked === true && rightOf(repository, token) !== 'write')
    throw new Refusal(403, 'Unable to create comment because issue is locked.');
  const comment: Comment = { author: token.user, body: String(input.body) };
  about.comments.push(comment);
  return shownComment(call, about, comment);
};

function commentOf({ repository, parameters }: Call): { about: About; comment: Comment } {
  for (const about of [...repository.issues, ...repository.pulls]) {
    const comment = about.comments.find((each) => String(known(each).id) === parameters[0]);
    if (comment !== undefined) return { about, comment };
  }
  throw new Refusal(404, 'Not Found');
}

const changeComment: Handler = (call) => {
  const { about, comment } = commentOf(call);
  Object.assign(comment, { body: String(call.input.body), changedAt: new Date().toISOString() });
  return shownComment(call, about, comment);
};

const react: Handler = (call) => {
  const reactions = known(commentOf(call).comment).reactions;
  const reaction = `${call.token.user} ${String(call.input.content)}`;
  if (!reactions.includes(reaction)) reactions.push(reaction);
  return { content: call.input.content };
};

const listReviews: Handler = (call) => {
  const about = aboutOf(call) as Pull;
  return (about.reviews ?? []).map(({ id, by, state, body, at, commit }) => ({
    id,
    commit_id: commit,
    user: shownUser(by),
    state,
    body,
    html_url: `${call.state.base}/${call.repository.path}/pull/${about.number}#pullrequestreview-${id}`,
    submitted_at: at,
  }));
};

const listLines: Handler = (call) => {
  const about = aboutOf(call) as Pull;
  return (about.lines ?? [])
    .filter(({ at }) => isSince(call, at))
    .map(({ id, by, body, path, line, at }) => ({
      id,
      user: shownUser(by),
      body,
      path,
      line,
      html_url: `${call.state.base}/${call.repository.path}/pull/${about.number}#discussion_r${id}`,
      created_at: at,
    }));
};

const combinedStatus: Handler = ({ repository, parameters }) => {
  const mine = repository.statuses.filter(({ sha }) => sha === parameters[0]).toReversed();
  const newest = mine.filter(
    (each, index) => mine.findIndex((one) => one.context === each.context) === index,
  );
  return {
    state: newest.some(({ state }) => state === 'failure') ? 'failure' : 'success',
    statuses: newest.map((status) => ({ ...status, target_url: null, updated_at: EARLIER })),
  };
};

/** Those below `/repos/{owner}/{name}` that stand before the others. */
export const TALK_ROUTES: [string, Handler][] = [
  ['GET /issues', listIssues],
  ['GET /issues/comments', listAllComments],
  ['PATCH /issues/comments/:id', changeComment],
  ['POST /issues/comments/:id/reactions', react],
  ['GET /issues/:n/events', listEvents],
  ['GET /issues/:n/comments', listComments],
  ['POST /issues/:n/comments', addComment],
  ['GET /pulls/:n/reviews', listReviews],
  ['GET /pulls/:n/comments', listLines],
  ['GET /commits/:sha/status', combinedStatus],
];
