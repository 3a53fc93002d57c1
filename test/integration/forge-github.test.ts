// The conformance suite of forges for GitHub.
import { createHmac } from 'node:crypto';
import { after, before, describe } from 'node:test';
import { github } from '../../orchestrator/repos/forge/github.ts';
import { startFakeGitHub } from '../support/fake-github.ts';
import type { FakeGitHub } from '../support/fake-github.ts';
import { WORK, conformance } from './forge-conformance.ts';
import { webhookConformance } from './forge-conformance-webhooks.ts';
import type { Seat } from './forge-seat.ts';

let server: FakeGitHub;
let appSeat: Seat;
before(async () => {
  server = await startFakeGitHub();
  server.state.pageMax = PAGE;
  appSeat = asApp(server);
});
after(async () => await server[Symbol.asyncDispose]());

const PAGE = 5;

conformance(() => seatOf(server));
webhookConformance(() => seatOf(server));
describe('as an App', () => conformance(() => appSeat, WORK));

// What the checks found goes to check runs, and its repositories are those of an account of its own.
function asApp(server: FakeGitHub): Seat {
  const seat = seatOf(server, 'globex');
  const { appId, privateKey } = server.addApp('globex');
  return {
    ...seat,
    token: privateKey,
    appId,
    self: 'autocode[bot]',
    statuses: async (path, commit) =>
      server
        .find(path)
        .checkRuns.filter(({ sha }) => sha === commit)
        .map(({ name, conclusion }) => `${name}: ${conclusion}`)
        .toSorted(),
  };
}

function seatOf(server: FakeGitHub, owner = 'acme'): Seat {
  const { url, token, find, site } = server;
  const pullOf = (path: string, number: number) => find(path).pulls.find((pull) => pull.number === number)!;
  return {
    kind: github,
    url,
    token,
    appId: null,
    self: 'bot',
    person: { username: 'x-access-token', password: server.newToken('ann') },
    page: PAGE,
    reopensAfterPush: false,
    signsBody: true,
    async repository(name) {
      const path = `${owner}/${name}`;
      const { members } = await server.addRepository(path);
      members.set('ben', 'write').set('reader', 'read');
      return path;
    },
    requests: async (path) =>
      find(path).pulls.map((pull) => ({
        number: pull.number,
        state: pull.mergedAt === null ? pull.state : 'merged',
        title: pull.title,
        body: pull.body ?? '',
        draft: pull.draft,
        labels: pull.labels,
        reviewers: pull.reviewers,
        branch: pull.head,
        comments: pull.comments.map(({ body }) => body),
      })),
    async statuses(path, commit) {
      const { statuses } = find(path);
      const latest = new Map(
        statuses.filter(({ sha }) => sha === commit).map((one) => [one.context, one.state]),
      );
      return [...latest].map(([context, status]) => `${context}: ${status}`).toSorted();
    },
    async closeRequest(path, number) {
      const pull = pullOf(path, number);
      Object.assign(pull, { state: 'closed', sha: await site.head(String(find(path).id), pull.head) });
    },
    async mergeRequest(path, number) {
      const pull = pullOf(path, number);
      const name = String(find(path).id);
      const sha = await site.head(name, pull.head);
      const mergeCommit = await site.merge(name, pull.base, pull.head, 'squash', 'by hand');
      Object.assign(pull, { state: 'closed', sha, mergeCommit, mergedAt: new Date().toISOString() });
    },
    protect: async (path) => void (find(path).approvalsRequired = 1),
    allowRebase: async () => {},
    async rename(path, name) {
      server.rename(path, `${owner}/${name}`);
      return `${owner}/${name}`;
    },
    remove: server.remove,
    archive: async (path) => void (find(path).archived = true),
    setDefaultBranch: async (path, branch) => void (find(path).defaultBranch = branch),
    issue: async (path, title, comments) =>
      server.addIssue(path, { title, comments: comments.map((body) => ({ author: 'ann', body })) }).number,
    readerToken: async () => server.newToken('reader'),
    async anotherToken() {
      const another = server.newToken('bot');
      return { token: another, end: async () => server.revoke(another) };
    },
    delivery(id, secret, number, branch) {
      const body = Buffer.from(
        JSON.stringify({ action: 'closed', pull_request: { number, head: { ref: branch } } }),
      );
      const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
      return {
        headers: {
          'x-github-delivery': id,
          'x-github-event': 'pull_request',
          'x-hub-signature-256': signature,
        },
        body,
      };
    },
  };
}
