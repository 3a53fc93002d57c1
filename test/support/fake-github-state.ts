// What the stand-in for GitHub knows, and how it finds and shows it. Used by fake-github.ts and its routes.
import type { GitSite } from './git-site.ts';

export interface Token {
  user: string;
  state: 'active' | 'revoked';
  /** Of a fine-grained token or an installation, as `pull_requests: write`; null: all that its user may. */
  permissions: Record<string, string> | null;
  /** Of an installation: its App and the account that it is in. */
  installation?: Installation;
  endsAt?: number;
}

export interface Installation {
  id: number;
  app: string;
  account: string;
  permissions: Record<string, string>;
}

export interface Pull {
  number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  draft: boolean;
  head: string;
  base: string;
  author: string;
  labels: string[];
  reviewers: string[];
  teams: string[];
  comments: Comment[];
  reviews?: { id: number; by: string; state: string; body: string; at: string; commit?: string }[];
  lines?: { id: number; by: string; body: string; path: string; line: number; at: string }[];
  approvals: number;
  mergedAt: string | null;
  mergeCommit: string | null;
  /** Where its branch was when it was closed or merged. */
  sha: string | undefined;
  /** The head and base for which it is known whether they merge. */
  looked: string;
}

export interface Comment {
  author: string;
  body: string;
  id?: number;
  at?: string;
  changedAt?: string;
  /** As `bot eyes`. */
  reactions?: string[];
}

export interface Issue {
  number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  author: string;
  labels: string[];
  comments: Comment[];
  assignees?: string[];
  /** Who set labels and assignees, in this order. */
  marks?: { by: string; label?: string; assignee?: string }[];
  changedAt?: string;
  gone?: boolean;
  locked?: boolean;
}

export interface CheckRun {
  id: number;
  app: string;
  sha: string;
  name: string;
  conclusion: string;
  title: string;
}

export interface Repository {
  id: number;
  path: string;
  formerPaths: string[];
  archived: boolean;
  defaultBranch: string;
  methods: Set<string>;
  drafts: boolean;
  approvalsRequired: number;
  /** What each may do. */
  members: Map<string, 'read' | 'write'>;
  teams: string[];
  labels: Set<string>;
  pulls: Pull[];
  issues: Issue[];
  statuses: { sha: string; context: string; state: string; description: string }[];
  checkRuns: CheckRun[];
}

export interface State {
  site: GitSite;
  /** Where it is, as `http://127.0.0.1:1234`. */
  base: string;
  repositories: Repository[];
  tokens: Map<string, Token>;
  /** Public keys of Apps, by their ids. */
  apps: Map<string, string>;
  installations: Installation[];
  /** By `organisation/team`. */
  members: Map<string, string[]>;
  /** The longest page of a list. */
  pageMax: number;
}

/** An answer that is no success, as GitHub words it. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: object;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    message: string,
    more: { errors?: object[]; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    const { errors, headers = {} } = more;
    this.body = {
      message,
      ...(errors === undefined ? {} : { errors }),
      documentation_url: 'https://docs.github.com/rest',
      status: String(status),
    };
    this.headers = headers;
  }
}

/** What a pull request must not be, as GitHub tells it. */
export function invalid(...errors: object[]): Refusal {
  return new Refusal(422, 'Validation Failed', {
    errors: errors.map((error) => ({ resource: 'PullRequest', ...error })),
  });
}

/** What a token may do in a repository. */
export function rightOf(repository: Repository, { user, installation }: Token): 'read' | 'write' | undefined {
  if (installation === undefined) return repository.members.get(user);
  return repository.path.startsWith(`${installation.account}/`) ? 'write' : undefined;
}

export function ownerOf(path: string): string {
  return path.split('/')[0]!;
}

export function shownUser(login: string) {
  return { login, id: login.length, type: login.endsWith('[bot]') ? 'Bot' : 'User' };
}

export function shownRepository({ base }: State, repository: Repository, token: Token) {
  const { id, path, defaultBranch, methods } = repository;
  const push = rightOf(repository, token) === 'write';
  return {
    id,
    name: path.split('/')[1],
    full_name: path,
    owner: shownUser(ownerOf(path)),
    private: true,
    html_url: `${base}/${path}`,
    clone_url: `${base}/${path}.git`,
    default_branch: defaultBranch,
    archived: repository.archived,
    permissions: { admin: false, push, pull: true },
    ...(push
      ? {
          allow_merge_commit: methods.has('merge'),
          allow_squash_merge: methods.has('squash'),
          allow_rebase_merge: methods.has('rebase'),
        }
      : {}),
  };
}

/** A pull request as a list has it, or with what one alone has. */
export async function shownPull(state: State, repository: Repository, pull: Pull, whole: boolean) {
  const { site, base } = state;
  const { id, path } = repository;
  const now = await site.head(String(id), `refs/heads/${pull.head}`);
  const sha = pull.state === 'open' ? (now ?? pull.sha) : pull.sha;
  const place = (ref: string, commit: string | undefined) => ({
    label: `${ownerOf(path)}:${ref}`,
    ref,
    sha: commit,
    user: shownUser(ownerOf(path)),
    repo: { id, full_name: path },
  });
  const baseSha = await site.head(String(id), `refs/heads/${pull.base}`);
  return {
    id: id * 1000 + pull.number,
    node_id: `PR_${id}_${pull.number}`,
    number: pull.number,
    html_url: `${base}/${path}/pull/${pull.number}`,
    title: pull.title,
    body: pull.body,
    state: pull.state,
    draft: pull.draft,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommit,
    user: shownUser(pull.author),
    head: place(pull.head, sha),
    base: place(pull.base, baseSha),
    labels: pull.labels.map((name) => ({ id: name.length, name, color: 'ededed' })),
    requested_reviewers: pull.reviewers.map(shownUser),
    requested_teams: pull.teams.map((slug) => ({ slug, name: slug })),
    ...(whole ? await mergeability(state, repository, pull, `${sha} ${baseSha}`) : {}),
  };
}

// Found out in the background after somebody has looked: the first look at a new state does not have it yet.
async function mergeability(state: State, repository: Repository, pull: Pull, now: string) {
  const merged = pull.mergedAt !== null;
  const known = pull.looked === now;
  pull.looked = now;
  if (merged || !known) return { merged, mergeable: null, mergeable_state: 'unknown' };
  const mergeable = await state.site.merges(String(repository.id), pull.base, pull.head);
  const blocked = pull.approvals < repository.approvalsRequired;
  return { merged, mergeable, mergeable_state: !mergeable ? 'dirty' : blocked ? 'blocked' : 'clean' };
}

/** The number of the next issue or pull request. */
export function nextNumber({ pulls, issues }: Repository): number {
  return pulls.length + issues.length + 1;
}
