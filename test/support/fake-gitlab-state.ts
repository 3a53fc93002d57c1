// What the stand-in for GitLab knows, and how it finds and shows it. Used by fake-gitlab.ts and its routes.
import type { GitSite } from './git-site.ts';

export interface Token {
  user: string;
  scopes: string[];
  state: 'active' | 'expired' | 'revoked';
}

export interface MergeRequest {
  iid: number;
  title: string;
  description: string;
  state: 'opened' | 'closed' | 'merged';
  source: string;
  target: string;
  author: string;
  labels: Set<string>;
  reviewers: string[];
  squash: boolean;
  approvals: number;
  notes: Note[];
  /** Where the branch was when it was merged or closed. */
  sha: string | undefined;
  mergeCommit: string | null;
  squashCommit: string | null;
  rebaseError: string | null;
  /** Who has approved by the button. */
  approvedBy?: string[];
  /** Who has asked for changes. */
  asks?: string[];
  pipelines?: { sha: string; status: string; source: string }[];
}

export interface Note {
  author: string;
  body: string;
  system: boolean;
  id?: number;
  at?: string;
  /** As `bot eyes`. */
  emoji?: string[];
  /** Of a note at a line of a diff. */
  line?: { path: string; line: number };
}

export interface Issue {
  iid: number;
  title: string;
  description: string | null;
  state: 'opened' | 'closed';
  author: string;
  labels: string[];
  notes: Note[];
  assignees?: string[];
  /** Who set labels, in this order. */
  marks?: { by: string; label: string }[];
  changedAt?: string;
  locked?: boolean;
}

export interface Project {
  id: number;
  path: string;
  formerPaths: string[];
  archived: boolean;
  defaultBranch: string;
  mergeRequestsEnabled: boolean;
  mergeMethod: 'merge' | 'rebase_merge' | 'ff';
  squashOption: 'never' | 'always' | 'default_on' | 'default_off';
  /** Who may merge into the target branch: 30 developers, 40 maintainers. */
  mergeLevel: number;
  approvalsRequired: number;
  reviewersMax: number; // one without a licence
  /** How many looks at a merge request still find its check under way. */
  checksLeft: number;
  members: Map<string, number>;
  requests: MergeRequest[];
  labels: Set<string>;
  statuses: { sha: string; name: string; status: string; description: string }[];
  issues: Issue[];
}

export interface State {
  site: GitSite;
  prefix: string;
  projects: Project[];
  users: string[];
  tokens: Map<string, Token>;
  /** Members of groups by their paths. */
  groups: Map<string, string[]>;
  /** No page is longer, whatever is asked for. */
  pageMax: number;
}

/** An answer that is not a success. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: object;
  readonly headers: Record<string, string>;
  constructor(status: number, body: object, headers: Record<string, string> = {}) {
    super(JSON.stringify(body));
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** By number, path or former path. */
export function projectOf(state: State, id: string): Project | undefined {
  return (
    state.projects.find((project) => String(project.id) === id || project.path === id) ??
    state.projects.find((project) => project.formerPaths.includes(id))
  );
}

/** The number of a user, as the API has it. */
export function userId(state: State, name: string): number {
  return state.users.indexOf(name) + 1;
}

export function shownUser(state: State, name: string): { id: number; username: string; state: string } {
  return { id: userId(state, name), username: name, state: 'active' };
}

export function shownProject(base: string, project: Project): object {
  return {
    id: project.id,
    path_with_namespace: project.path,
    http_url_to_repo: `${base}/${project.path}.git`,
    web_url: `${base}/${project.path}`,
    default_branch: project.defaultBranch,
    archived: project.archived,
    visibility: 'private',
    merge_method: project.mergeMethod,
    squash_option: project.squashOption,
    merge_requests_enabled: project.mergeRequestsEnabled,
    merge_requests_access_level: project.mergeRequestsEnabled ? 'enabled' : 'disabled',
  };
}

/** `detailed_merge_status` as it is documented. */
export async function mergeStatus({ site }: State, project: Project, request: MergeRequest): Promise<string> {
  if (request.state !== 'opened') return 'not_open';
  if (project.checksLeft > 0) return 'checking';
  if (request.title.startsWith('Draft: ')) return 'draft_status';
  const name = String(project.id);
  if (!(await site.merges(name, request.target, request.source))) return 'conflict';
  if (project.approvalsRequired > request.approvals) return 'not_approved';
  if (project.mergeMethod !== 'merge' && !(await site.contains(name, request.source, request.target)))
    return 'need_rebase';
  return 'mergeable';
}

export async function shownRequest(
  state: State,
  base: string,
  project: Project,
  request: MergeRequest,
): Promise<object> {
  const status = await mergeStatus(state, project, request);
  return {
    id: project.id * 1000 + request.iid,
    iid: request.iid,
    project_id: project.id,
    title: request.title,
    description: request.description,
    state: request.state,
    draft: request.title.startsWith('Draft: '),
    author: shownUser(state, request.author),
    reviewers: request.reviewers.map((name) => shownUser(state, name)),
    labels: [...request.labels],
    source_branch: request.source,
    target_branch: request.target,
    sha: request.sha ?? (await state.site.head(String(project.id), `refs/heads/${request.source}`)) ?? null,
    squash: request.squash,
    merge_status:
      status === 'mergeable' ? 'can_be_merged' : status === 'checking' ? 'checking' : 'cannot_be_merged',
    detailed_merge_status: status,
    has_conflicts: status === 'conflict',
    merge_commit_sha: request.mergeCommit,
    squash_commit_sha: request.squashCommit,
    rebase_in_progress: false,
    merge_error: request.rebaseError,
    web_url: `${base}/${project.path}/-/merge_requests/${request.iid}`,
  };
}
