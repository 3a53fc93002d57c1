// Facts in deliveries of GitHub's webhooks, and of Gitea's, which speaks nearly the same. Used by github.ts and gitea.ts.
import { z } from 'zod';
import { OWN_CHECKS, provesRight, type ForgeFact } from './facts.ts';

const User = z.object({ login: z.string() });
const Text = z
  .string()
  .nullish()
  .transform((text) => text ?? '');
const Repository = z.object({ full_name: z.string() });
/** What GitHub says of whoever belongs to a repository. */
export const ASSOCIATED = ['OWNER', 'MEMBER', 'COLLABORATOR'];
const WANTED = ['opened', 'reopened', 'labeled', 'assigned', 'label_updated'];

const IssueEvent = z.object({
  action: z.string(),
  repository: Repository,
  sender: User,
  issue: z.object({
    number: z.int(),
    html_url: z.string(),
    title: z.string(),
    body: Text,
    state: z.string(),
    user: User.nullish(),
    labels: z.array(z.object({ name: z.string() })).nullish(),
    assignees: z.array(User).nullish(),
    author_association: z.string().nullish(),
    updated_at: z.string().nullish(),
    pull_request: z.unknown().optional(),
  }),
});
const CommentEvent = z.object({
  action: z.literal('created'),
  repository: Repository,
  issue: z.object({ number: z.int(), pull_request: z.unknown().optional() }),
  comment: z.object({
    id: z.int(),
    html_url: z.string(),
    body: Text,
    user: User.nullish(),
    created_at: z.string(),
  }),
});
const ReviewEvent = z.object({
  action: z.literal('submitted'),
  repository: Repository,
  pull_request: z.object({ number: z.int() }),
  review: z.object({
    id: z.int(),
    user: User.nullish(),
    state: z.string(),
    body: Text,
    html_url: z.string(),
    submitted_at: z.string().nullish(),
  }),
});
const LineEvent = z.object({
  action: z.literal('created'),
  repository: Repository,
  pull_request: z.object({ number: z.int() }),
  comment: z.object({
    id: z.int(),
    user: User.nullish(),
    body: Text,
    html_url: z.string(),
    path: z.string().nullish(),
    line: z.int().nullish(),
    created_at: z.string(),
  }),
});
const CheckRunEvent = z.object({
  action: z.literal('completed'),
  repository: Repository,
  sender: User,
  check_run: z.object({
    name: z.string(),
    conclusion: z.string().nullable(),
    head_sha: z.string(),
    html_url: z.string().nullish(),
    completed_at: z.string().nullish(),
    output: z.object({ title: Text, summary: Text }).nullish(),
    check_suite: z.object({ head_branch: z.string().nullish() }).nullish(),
  }),
});
const StatusEvent = z.object({
  repository: Repository,
  sender: User,
  sha: z.string(),
  context: z.string(),
  state: z.string(),
  description: Text,
  target_url: z.string().nullish(),
  updated_at: z.string().nullish(),
});

/** Conclusions of check runs that stand in the way. */
export const FAILED: readonly string[] = ['failure', 'timed_out', 'action_required', 'startup_failure'];

/** What a delivery tells; nothing where it is about something else. Throws where it is not what its event says. */
export function githubFacts(event: string, body: unknown): ForgeFact[] {
  const action = z.object({ action: z.string() }).safeParse(body).data?.action;
  if (event === 'issues' && WANTED.includes(action ?? '')) return issueFacts(IssueEvent.parse(body));
  if (event === 'issue_comment' && action === 'created') return commentFacts(CommentEvent.parse(body));
  if (event === 'pull_request_review' && action === 'submitted') return reviewFacts(ReviewEvent.parse(body));
  if (event === 'pull_request_review_comment' && action === 'created')
    return lineFacts(LineEvent.parse(body));
  if (event === 'check_run' && action === 'completed') return checkFacts(CheckRunEvent.parse(body));
  if (event === 'status') return statusFacts(StatusEvent.parse(body));
  return [];
}

function issueFacts({ repository, sender, issue }: z.infer<typeof IssueEvent>): ForgeFact[] {
  if (issue.state !== 'open' || issue.pull_request != null) return [];
  const author = issue.user?.login ?? 'ghost';
  const associated =
    ASSOCIATED.includes(issue.author_association ?? '') && !provesRight(sender.login, author);
  return [
    {
      what: 'issue',
      path: repository.full_name,
      by: sender.login,
      at: issue.updated_at ?? null,
      url: issue.html_url,
      number: issue.number,
      title: issue.title,
      text: issue.body,
      labels: (issue.labels ?? []).map(({ name }) => name),
      assignees: (issue.assignees ?? []).map(({ login }) => login),
      byRight: associated || provesRight(sender.login, author),
    },
  ];
}

function commentFacts({ repository, issue, comment }: z.infer<typeof CommentEvent>): ForgeFact[] {
  return [
    {
      what: 'comment',
      path: repository.full_name,
      by: comment.user?.login ?? 'ghost',
      at: comment.created_at,
      url: comment.html_url,
      number: issue.number,
      id: String(comment.id),
      text: comment.body,
      onChange: issue.pull_request != null,
    },
  ];
}

function reviewFacts({
  repository,
  pull_request: request,
  review,
}: z.infer<typeof ReviewEvent>): ForgeFact[] {
  const state = review.state.toLowerCase();
  const asks = state === 'changes_requested';
  if (!asks && (state !== 'commented' || review.body.trim() === '')) return [];
  return [
    {
      what: 'review',
      path: repository.full_name,
      by: review.user?.login ?? 'ghost',
      at: review.submitted_at ?? null,
      url: review.html_url,
      number: request.number,
      id: String(review.id),
      text: review.body,
      says: asks ? 'changes-requested' : 'commented',
      place: null,
    },
  ];
}

function lineFacts({ repository, pull_request: request, comment }: z.infer<typeof LineEvent>): ForgeFact[] {
  return [
    {
      what: 'review',
      path: repository.full_name,
      by: comment.user?.login ?? 'ghost',
      at: comment.created_at,
      url: comment.html_url,
      number: request.number,
      id: `line-${comment.id}`,
      text: comment.body,
      says: 'line',
      place: comment.path == null ? null : `${comment.path}${comment.line == null ? '' : `:${comment.line}`}`,
    },
  ];
}

function checkFacts({ repository, sender, check_run: check }: z.infer<typeof CheckRunEvent>): ForgeFact[] {
  if (!FAILED.includes(check.conclusion ?? '') || check.name.startsWith(OWN_CHECKS)) return [];
  return [
    {
      what: 'check',
      path: repository.full_name,
      by: sender.login,
      at: check.completed_at ?? null,
      url: check.html_url ?? '',
      commit: check.head_sha,
      branch: check.check_suite?.head_branch ?? null,
      name: check.name,
      text: [check.output?.title, check.output?.summary].filter(Boolean).join('\n\n'),
    },
  ];
}

function statusFacts(status: z.infer<typeof StatusEvent>): ForgeFact[] {
  if (!['failure', 'error'].includes(status.state) || status.context.startsWith(OWN_CHECKS)) return [];
  return [
    {
      what: 'check',
      path: status.repository.full_name,
      by: status.sender.login,
      at: status.updated_at ?? null,
      url: status.target_url ?? '',
      commit: status.sha,
      branch: null,
      name: status.context,
      text: status.description,
    },
  ];
}
