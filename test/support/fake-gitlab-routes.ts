// The routes of the stand-in for GitLab: what each answers and what it does. Used by fake-gitlab.ts.
import type { MergeRequest, Project, State, Token } from './fake-gitlab-state.ts';
import {
  mergeStatus,
  projectOf,
  Refusal,
  shownProject,
  shownRequest,
  shownUser,
  userId,
} from './fake-gitlab-state.ts';

/** What requests have in their bodies, as far as it is heeded. */
export interface Input {
  title?: string;
  description?: string;
  source_branch?: string;
  target_branch?: string;
  labels?: string;
  add_labels?: string;
  reviewer_ids?: number[];
  state_event?: string;
  squash?: boolean;
  sha?: string;
  name?: string;
  state?: string;
  body?: string;
}

export interface Call {
  state: State;
  base: string;
  url: URL;
  user: string;
  token: Token;
  parameters: string[];
  input: Input;
  method: string | undefined;
}

type Handler = (call: Call) => unknown;

const DEVELOPER = 30;
const FORBIDDEN = new Refusal(403, { message: '403 Forbidden' });

/** The project of a call; one under a former path is led to by its number, and only for reading. */
export function seen({ state, base, url, user, parameters, method }: Call): Project {
  const [id = ''] = parameters;
  const project = projectOf(state, id);
  if (project === undefined || !project.members.has(user)) throw notFound('Project');
  if (id === String(project.id) || id === project.path) return project;
  if (method !== 'GET')
    throw new Refusal(405, { message: 'Non GET methods are not allowed for moved projects' });
  const rest = url.href.slice(`${base}/api/v4/projects/${encodeURIComponent(id)}`.length);
  throw new Refusal(302, { message: 'Moved' }, { location: `${base}/api/v4/projects/${project.id}${rest}` });
}

// The same, for one who may write to it.
function writable(call: Call): Project {
  const project = seen(call);
  if ((project.members.get(call.user) ?? 0) < DEVELOPER || project.archived) throw FORBIDDEN;
  return project;
}

function notFound(what: string): Refusal {
  return new Refusal(404, { message: `404 ${what} Not Found` });
}

function requestOf(project: Project, { parameters }: Call): MergeRequest {
  const found = project.requests.find(({ iid }) => String(iid) === parameters[1]);
  if (found === undefined) throw new Refusal(404, { message: '404 Not found' });
  return found;
}

const listRequests: Handler = async (call) => {
  const { state, base, url } = call;
  const project = seen(call);
  const query = url.searchParams;
  const [wanted, source, target, iids] = [
    query.get('state') ?? 'all',
    query.get('source_branch'),
    query.get('target_branch'),
    query.getAll('iids[]'),
  ];
  const found = project.requests.filter(
    (request) =>
      (wanted === 'all' || request.state === wanted) &&
      (source === null || request.source === source) &&
      (target === null || request.target === target) &&
      (iids.length === 0 || iids.includes(String(request.iid))),
  );
  return await Promise.all(
    found.toReversed().map(async (request) => await shownRequest(state, base, project, request)),
  );
};

const openRequest: Handler = async (call) => {
  const { state, base, input, user } = call;
  const project = writable(call);
  for (const field of ['source_branch', 'target_branch', 'title'] as const) {
    if (typeof input[field] !== 'string') throw new Refusal(400, { error: `${field} is missing` });
  }
  const { source_branch: source = '', target_branch: target = '' } = input;
  const open = project.requests.find(
    (one) => one.state === 'opened' && one.source === source && one.target === target,
  );
  if (open !== undefined) {
    throw new Refusal(409, {
      message: [`Another open merge request already exists for this source branch: !${open.iid}`],
    });
  }
  const branches = await state.site.branches(String(project.id));
  if (!branches.includes(source)) throw new Refusal(400, { message: { source_branch: ['does not exist'] } });
  if (!branches.includes(target)) throw new Refusal(400, { message: { target_branch: ['does not exist'] } });
  const made: MergeRequest = {
    iid: project.requests.length + 1,
    title: '',
    description: '',
    state: 'opened',
    source,
    target,
    author: user,
    labels: new Set(),
    reviewers: [],
    squash: project.squashOption === 'always' || project.squashOption === 'default_on',
    approvals: 0,
    notes: [],
    sha: undefined,
    mergeCommit: null,
    squashCommit: null,
    rebaseError: null,
  };
  change(state, project, made, input);
  project.requests.push(made);
  return await shownRequest(state, base, project, made);
};

const editRequest: Handler = async (call) => {
  const { state, base, input } = call;
  const project = writable(call);
  const request = requestOf(project, call);
  const event = input.state_event;
  if (event === 'close' && request.state === 'opened') {
    request.sha = await state.site.head(String(project.id), request.source);
    request.state = 'closed';
  }
  if (event === 'reopen' && request.state === 'closed') {
    request.sha = undefined;
    request.state = 'opened';
  }
  change(state, project, request, input);
  return await shownRequest(state, base, project, request);
};

// Labels are made where they are missing; reviewers who cannot see the project, or are too many, are left out silently.
function change(state: State, project: Project, request: MergeRequest, input: Call['input']): void {
  if (input.title !== undefined && input.title.length > 255) {
    throw new Refusal(400, { message: { title: ['is too long (maximum is 255 characters)'] } });
  }
  if (input.title !== undefined) request.title = input.title;
  if (input.description !== undefined) request.description = input.description;
  if (input.squash !== undefined) request.squash = input.squash;
  if (input.target_branch !== undefined) request.target = input.target_branch;
  const given = input.labels ?? input.add_labels;
  if (input.labels !== undefined) request.labels.clear();
  for (const label of given?.split(',').filter(Boolean) ?? []) {
    project.labels.add(label);
    request.labels.add(label);
  }
  if (input.reviewer_ids !== undefined) {
    const names = input.reviewer_ids.map((id) => state.users[id - 1] ?? '');
    request.reviewers = names.filter((name) => project.members.has(name)).slice(0, project.reviewersMax);
  }
}

const mergeRequest: Handler = async (call) => {
  const { state, base, input, user } = call;
  const project = seen(call);
  const request = requestOf(project, call);
  const name = String(project.id);
  if ((project.members.get(user) ?? 0) < project.mergeLevel)
    throw new Refusal(401, { message: '401 Unauthorized' });
  const status = await mergeStatus(state, project, request);
  if (status === 'checking') throw new Refusal(422, { message: 'Branch cannot be merged' });
  if (status !== 'mergeable') throw new Refusal(405, { message: '405 Method Not Allowed' });
  const head = await state.site.head(name, request.source);
  if (input.sha !== undefined && input.sha !== head) {
    throw new Refusal(409, { message: `SHA does not match HEAD of source branch: ${head}` });
  }
  const squash = project.squashOption === 'always' || (input.squash ?? request.squash);
  if (squash && project.squashOption === 'never')
    throw new Refusal(422, { message: 'Branch cannot be merged' });
  const method = squash ? 'squash' : project.mergeMethod === 'ff' ? 'rebase' : 'merge';
  const made = await state.site.merge(name, request.target, request.source, method, request.title);
  request.sha = head;
  request.state = 'merged';
  if (method === 'merge') request.mergeCommit = made;
  if (method === 'squash') request.squashCommit = made;
  return await shownRequest(state, base, project, request);
};

const rebaseRequest: Handler = async (call) => {
  const project = writable(call);
  const request = requestOf(project, call);
  const name = String(project.id);
  if (!(await call.state.site.merges(name, request.target, request.source))) {
    request.rebaseError = 'Rebase failed: Rebase locally, resolve all conflicts, then push the branch.';
  } else await call.state.site.rebase(name, request.target, request.source);
  return { rebase_in_progress: true };
};

const setStatus: Handler = async (call) => {
  const { input, parameters, state } = call;
  const project = writable(call);
  const sha = parameters[1] ?? '';
  if ((await state.site.head(String(project.id), sha)) === undefined) throw notFound('Commit');
  const { state: wanted = '', name = 'default', description = '' } = input;
  if (!['pending', 'running', 'success', 'failed', 'canceled', 'skipped'].includes(wanted)) {
    throw new Refusal(400, { error: 'state does not have a valid value' });
  }
  const made = { sha, name, status: wanted, description };
  project.statuses = project.statuses.filter((one) => one.sha !== sha || one.name !== made.name);
  project.statuses.push(made);
  return made;
};

/** Method and path of each, the first that fits. */
export const ROUTES: [string, Handler][] = [
  ['GET /version', () => ({ version: '18.5.1', revision: 'a1b2c3d', enterprise: false })],
  ['GET /user', ({ state, user }) => shownUser(state, user)],
  [
    'GET /users',
    ({ state, url }) =>
      state.users
        .filter((name) => name.toLowerCase() === url.searchParams.get('username')?.toLowerCase())
        .map((name) => shownUser(state, name)),
  ],
  [
    'GET /personal_access_tokens/self',
    ({ token }) => ({ id: 1, active: true, scopes: token.scopes, expires_at: null }),
  ],
  [
    'GET /projects',
    ({ state, base, user, url }) =>
      state.projects
        .filter(
          (one) => (one.members.get(user) ?? 0) >= Number(url.searchParams.get('min_access_level') ?? 0),
        )
        .map((one) => shownProject(base, one)),
  ],
  ['GET /projects/:id', (call) => shownProject(call.base, seen(call))],
  [
    'GET /projects/:id/members/all/:user',
    (call) => {
      const { members } = seen(call);
      const found = [...members].find(([name]) => String(userId(call.state, name)) === call.parameters[1]);
      if (found === undefined) throw notFound('Member');
      return { ...shownUser(call.state, found[0]), access_level: found[1] };
    },
  ],
  ['GET /projects/:id/merge_requests', listRequests],
  ['POST /projects/:id/merge_requests', openRequest],
  [
    'GET /projects/:id/merge_requests/:iid',
    async (call) => {
      const project = seen(call);
      const shown = await shownRequest(call.state, call.base, project, requestOf(project, call));
      if (project.checksLeft > 0) project.checksLeft -= 1;
      return shown;
    },
  ],
  ['PUT /projects/:id/merge_requests/:iid', editRequest],
  ['PUT /projects/:id/merge_requests/:iid/merge', mergeRequest],
  ['PUT /projects/:id/merge_requests/:iid/rebase', rebaseRequest],
  ['POST /projects/:id/statuses/:sha', setStatus],
  [
    'GET /projects/:id/repository/commits/:sha/statuses',
    (call) => seen(call).statuses.filter(({ sha }) => sha === call.parameters[1]),
  ],
  [
    'GET /projects/:id/issues/:iid',
    (call) => {
      const project = seen(call);
      const issue = project.issues.find(({ iid }) => String(iid) === call.parameters[1]);
      if (issue === undefined) throw new Refusal(404, { message: '404 Issue Not Found' });
      const { notes: _notes, ...rest } = issue;
      const web = `${call.base}/${project.path}/-/issues/${issue.iid}`;
      return { ...rest, author: shownUser(call.state, issue.author), web_url: web };
    },
  ],
];
