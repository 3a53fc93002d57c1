// The conformance suite of forges for a real Gitea.
import { createHmac } from 'node:crypto';
import { after, before } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gitea } from '../../orchestrator/repos/forge/gitea.ts';
import { PAGE, startGitea } from '../support/gitea.ts';
import type { Gitea } from '../support/gitea.ts';
import { conformance } from './forge-conformance.ts';
import { webhookConformance } from './forge-conformance-webhooks.ts';
import type { Seat, Seen } from './forge-seat.ts';

const DRAFT = 'WIP: ';

let server: Gitea;
before(async () => {
  server = await startGitea();
  for (const user of ['ann', 'ben', 'reader']) await server.addUser(user);
});
after(async () => await server[Symbol.asyncDispose]());

conformance(() => seatOf(server));
webhookConformance(() => seatOf(server));

interface Pull {
  number: number;
  state: 'open' | 'closed';
  merged: boolean;
  title: string;
  body: string;
  head: { ref: string };
  labels: { name: string }[];
  requested_reviewers: { login: string }[] | null;
}

function seatOf({ url, botToken, adminToken, call, ...rest }: Gitea): Seat {
  const repos = (path: string) => `/repos/${path}`;
  const allow = async (path: string, user: string, permission: string) =>
    await call('PUT', `${repos(path)}/collaborators/${user}`, { permission });
  const edit = async (path: string, change: object) => await call('PATCH', repos(path), change);
  return {
    kind: gitea,
    url,
    token: botToken,
    appId: null,
    self: 'bot',
    person: { username: 'root0', password: adminToken },
    page: PAGE,
    reopensAfterPush: true,
    signsBody: true,
    async repository(name) {
      await rest.repository(name);
      const path = `acme/${name}`;
      for (const user of ['ann', 'ben']) await allow(path, user, 'write');
      return path;
    },
    async requests(path) {
      const pulls: Pull[] = await call('GET', `${repos(path)}/pulls?state=all`);
      return await Promise.all(
        pulls.map(async (pull): Promise<Seen> => {
          const comments: { body: string }[] = await call(
            'GET',
            `${repos(path)}/issues/${pull.number}/comments`,
          );
          return {
            number: pull.number,
            state: pull.merged ? 'merged' : pull.state,
            title: pull.title.replace(DRAFT, ''),
            body: pull.body,
            draft: pull.title.startsWith(DRAFT),
            labels: pull.labels.map(({ name }) => name),
            reviewers: (pull.requested_reviewers ?? []).map(({ login }) => login),
            branch: pull.head.ref,
            comments: comments.map(({ body }) => body),
          };
        }),
      );
    },
    async statuses(path, commit) {
      const latest = new Map<string, string>();
      for (let page = 1; ; page++) {
        const query = `?sort=oldest&page=${page}`;
        const some: { context: string; status: string }[] = await call(
          'GET',
          `${repos(path)}/statuses/${commit}${query}`,
        );
        if (some.length === 0) break;
        for (const { context, status } of some) latest.set(context, status);
      }
      return [...latest].map(([context, status]) => `${context}: ${status}`).toSorted();
    },
    closeRequest: async (path, number) =>
      void (await call('PATCH', `${repos(path)}/pulls/${number}`, { state: 'closed' })),
    async mergeRequest(path, number) {
      const merge = async () => await call('POST', `${repos(path)}/pulls/${number}/merge`, { Do: 'squash' });
      for (;;) {
        const refused = await merge().then(
          () => undefined,
          (error: Error) => error,
        );
        if (refused === undefined) return;
        if (!/try again later/i.test(refused.message)) throw refused;
        await delay(50);
      }
    },
    protect: async (path) =>
      void (await call('POST', `${repos(path)}/branch_protections`, {
        rule_name: 'main',
        required_approvals: 1,
        enable_push: false,
      })),
    allowRebase: async () => {},
    async rename(path, name) {
      await edit(path, { name });
      return `acme/${name}`;
    },
    remove: async (path) => void (await call('DELETE', repos(path))),
    archive: async (path) => void (await edit(path, { archived: true })),
    setDefaultBranch: async (path, branch) => void (await edit(path, { default_branch: branch })),
    async issue(path, title, comments) {
      const { number } = await call('POST', `${repos(path)}/issues`, { title, body: '' });
      for (const body of comments) await call('POST', `${repos(path)}/issues/${number}/comments`, { body });
      return number;
    },
    async readerToken(path) {
      await allow(path, 'reader', 'read');
      return await rest.token('reader', ['read:repository']);
    },
    async anotherToken() {
      const token = await rest.token('bot', ['write:repository', 'write:issue']);
      return { token, end: async () => await rest.revokeLast('bot') };
    },
    delivery(id, secret, number, branch) {
      const body = Buffer.from(
        JSON.stringify({ action: 'closed', pull_request: { number, head: { ref: branch } } }),
      );
      const signature = createHmac('sha256', secret).update(body).digest('hex');
      return {
        headers: { 'x-gitea-delivery': id, 'x-gitea-event': 'pull_request', 'x-gitea-signature': signature },
        body,
      };
    },
  };
}
