// The conformance suite of forges for GitLab, below a path and with projects in nested groups; and what is GitLab's own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gitlab } from '../../orchestrator/repos/forge/gitlab.ts';
import { startFakeGitLab } from '../support/fake-gitlab.ts';
import type { FakeGitLab } from '../support/fake-gitlab.ts';
import { conformance } from './forge-conformance.ts';
import { webhookConformance } from './forge-conformance-webhooks.ts';
import { openBench, proposal } from './forge-seat.ts';
import type { Seat } from './forge-seat.ts';

const GROUP = 'acme/tools';

let server: FakeGitLab;
let seat: Seat;
before(async () => {
  server = await startFakeGitLab({ prefix: '/gitlab' });
  for (const user of ['ann', 'ben', 'reader']) server.addUser(user);
  seat = seatOf(server);
  server.state.pageMax = seat.page;
});
after(async () => await server[Symbol.asyncDispose]());

conformance(() => seat);
webhookConformance(() => seat);

test('a project that rebases before a merge is rebased, also where it may not merge otherwise', async () => {
  await using bench = await openBench(seat, 'needs-rebase');
  server.find(bench.path).mergeMethod = 'rebase_merge';
  const commit = await bench.push('autocode/1', { 'a.txt': 'a\n' });
  const { number } = await bench.forge.propose(proposal('autocode/1', commit));
  await bench.pushByPerson('main', { 'b.txt': 'b\n' });
  await bench.forge.merge(bench.change(number!, 'autocode/1'), null);
  assert.deepEqual(await bench.shape('main'), { commits: 4, parents: 2 });
});

test('a method that the project does not allow is refused with the way out', async () => {
  await using bench = await openBench(seat, 'methods');
  const project = server.find(bench.path);
  const commit = await bench.push('autocode/1', { 'a.txt': 'a\n' });
  const { number } = await bench.forge.propose(proposal('autocode/1', commit, { draft: true }));
  const table = [
    ['squash', { squashOption: 'never', mergeMethod: 'merge' }],
    ['merge', { squashOption: 'default_off', mergeMethod: 'ff' }],
    ['merge', { squashOption: 'always', mergeMethod: 'merge' }],
    ['rebase', { squashOption: 'default_off', mergeMethod: 'rebase_merge' }],
  ] as const;
  for (const [method, settings] of table) {
    Object.assign(project, settings);
    await assert.rejects(bench.forge.merge(bench.change(number!, 'autocode/1'), method), {
      code: 'ERR_FORGE_REFUSED',
      message: new RegExp(`does not merge by ${method}`),
      remedy: /--merge-method METHOD/,
    });
  }
  assert.equal(project.requests[0]?.title, 'Draft: Fix the sum'); // it is as it was
});

test('the look whether it merges is waited for; a user who may not merge into the branch is told so', async () => {
  await using bench = await openBench(seat, 'checking');
  const project = server.find(bench.path);
  const commit = await bench.push('autocode/1', { 'a.txt': 'a\n' });
  const { number } = await bench.forge.propose(proposal('autocode/1', commit));
  const change = bench.change(number!, 'autocode/1');
  project.mergeLevel = 40;
  await assert.rejects(bench.forge.merge(change, null), {
    code: 'ERR_FORGE_DENIED',
    message: /may not merge into main: .*401 Unauthorized/,
  });
  project.mergeLevel = 30;
  project.checksLeft = 2;
  await bench.forge.merge(change, null);
  assert.equal(project.requests[0]?.state, 'merged');
});

test('approvals, reviewers who ask for changes, and why it does not merge are read; its base is set', async () => {
  await using bench = await openBench(seat, 'reviews');
  const project = server.find(bench.path);
  for (const user of ['ann', 'ben']) project.members.set(user, 30);
  const commit = await bench.push('autocode/1', { 'README.md': 'ours\n' });
  const { number } = await bench.forge.propose(proposal('autocode/1', commit, { reviewers: ['ben'] }));
  const change = bench.change(number!, 'autocode/1');
  const request = project.requests[0]!;
  const look = async () => (await bench.forge.read([change]))[0]!;
  assert.partialDeepStrictEqual(await look(), { mergeable: 'yes', reviews: [], draft: false, base: 'main' });
  Object.assign(request, { approvedBy: ['ann', 'bot'], asks: ['ben'] });
  project.approvalsRequired = 3;
  assert.partialDeepStrictEqual(await look(), {
    mergeable: 'blocked',
    mergeReason: 'approvals are missing',
    reviews: [
      { by: 'ann', says: 'approved', stale: false },
      { by: 'ben', says: 'changes-requested', stale: false },
    ],
  });
  project.checksLeft = 1;
  assert.equal((await look()).mergeable, 'unknown');
  project.checksLeft = 0;
  await bench.push('below', { 'b.txt': 'b\n' });
  request.target = 'below';
  await bench.forge.retarget(change, 'below');
  await bench.pushByPerson('main', { 'README.md': 'theirs\n' });
  assert.partialDeepStrictEqual(await look(), { mergeable: 'conflicts', base: 'main' });
});

test('the longest title of a change is cut where GitLab wants it, also as a draft', async () => {
  await using bench = await openBench(seat, 'title');
  const commit = await bench.push('autocode/1', { 'a.txt': 'a\n' });
  const wanted = proposal('autocode/1', commit, { title: 'x'.repeat(250), draft: true });
  await bench.forge.propose(wanted);
  bench.writes();
  await bench.forge.propose(wanted);
  assert.deepEqual(bench.writes(), []);
  assert.equal(server.find(bench.path).requests[0]?.title, `Draft: ${'x'.repeat(248)}`);
});

test('a commit that came in between is not merged', async () => {
  await using bench = await openBench(seat, 'moved');
  const commit = await bench.push('autocode/1', { 'a.txt': 'a\n' });
  const { number } = await bench.forge.propose(proposal('autocode/1', commit));
  const asked = Promise.withResolvers<void>();
  const pushed = Promise.withResolvers<void>();
  const held = async () => {
    asked.resolve();
    await pushed.promise;
  };
  bench.line.holdWhen((request) => /^GET .*\/merge_requests\/\d/.test(request), held);
  const merging = assert.rejects(bench.forge.merge(bench.change(number!, 'autocode/1'), null), {
    code: 'ERR_FORGE_REFUSED',
    message: /SHA does not match HEAD/,
  });
  await asked.promise;
  await bench.pushByPerson('autocode/1', { 'b.txt': 'b\n' });
  pushed.resolve();
  await merging;
});

test('reviewers whom GitLab leaves out are noted: all but one without a licence, and groups', async () => {
  await using bench = await openBench(seat, 'reviewers');
  server.find(bench.path).reviewersMax = 1;
  const commit = await bench.push('autocode/1', { 'a.txt': 'a\n' });
  const reviewers = ['ann', 'ben', 'acme/core'];
  const { notes } = await bench.forge.propose(proposal('autocode/1', commit, { reviewers }));
  assert.deepEqual(notes, [
    'acme/core could not be asked for a review: on GitLab that is a user, not a group.',
    'ben could not be asked for a review: GitLab left the name out.',
  ]);
});

test('a project that is archived, has no merge requests, or a token without its scope is told apart', async () => {
  await using bench = await openBench(seat, 'denied');
  const project = server.find(bench.path);
  project.mergeRequestsEnabled = false;
  await assert.rejects(bench.forge.check(), { code: 'ERR_FORGE_DENIED', message: /switched off/ });
  Object.assign(project, { mergeRequestsEnabled: true, archived: true });
  await assert.rejects(bench.forge.check(), { code: 'ERR_FORGE_DENIED', message: /is archived/ });
  project.archived = false;
  bench.useToken(server.token('bot', ['read_api', 'write_repository']));
  await assert.rejects(bench.forge.check(), {
    message: /has the scopes read_api, write_repository and not api/,
  });
  const commit = await bench.push('autocode/1', { 'a.txt': 'a\n' });
  await assert.rejects(bench.forge.propose(proposal('autocode/1', commit)), {
    code: 'ERR_FORGE_DENIED',
    message: /higher privileges/,
    remedy: /the scope api/,
  });
});

test('an answer that has not changed is not sent again', async () => {
  await using bench = await openBench(seat, 'etag');
  await bench.forge.check();
  const before = server.unchanged();
  await bench.forge.check();
  assert.equal(server.unchanged() - before, 4);
});

test('what the system notes at an issue is no comment', async () => {
  await using bench = await openBench(seat, 'notes');
  const number = await seat.issue(bench.path, 'Wrong', ['One.']);
  server.find(bench.path).issues[0]?.notes.unshift({ author: 'ann', body: 'changed title', system: true });
  const { comments } = await bench.forge.issue(number);
  assert.deepEqual(comments, [{ author: 'ann', body: 'One.' }]);
});

function seatOf({ url, botToken, find, ...gitlabServer }: FakeGitLab): Seat {
  const requestOf = (path: string, number: number) => find(path).requests.find(({ iid }) => iid === number)!;
  return {
    kind: gitlab,
    url,
    token: botToken,
    appId: null,
    self: 'bot',
    person: { username: 'root', password: gitlabServer.token('root') },
    page: 5,
    reopensAfterPush: true,
    signsBody: false,
    async repository(name) {
      const path = `${GROUP}/${name}`;
      const { members } = await gitlabServer.project(path);
      for (const user of ['ann', 'ben']) members.set(user, 30);
      members.set('reader', 20);
      return path;
    },
    requests: async (path) =>
      find(path).requests.map((request) => ({
        number: request.iid,
        state: request.state === 'opened' ? 'open' : request.state,
        title: request.title.replace(/^Draft: /, ''),
        body: request.description,
        draft: request.title.startsWith('Draft: '),
        labels: [...request.labels],
        reviewers: request.reviewers,
        branch: request.source,
        comments: request.notes.map(({ body }) => body),
      })),
    statuses: async (path, commit) =>
      find(path)
        .statuses.filter(({ sha }) => sha === commit)
        .map(({ name, status }) => `${name}: ${status === 'failed' ? 'failure' : status}`)
        .toSorted(),
    closeRequest: async (path, number) => void (requestOf(path, number).state = 'closed'),
    async mergeRequest(path, number) {
      const request = requestOf(path, number);
      const name = String(find(path).id);
      request.sha = await gitlabServer.site.head(name, request.source);
      request.squashCommit = await gitlabServer.site.merge(
        name,
        request.target,
        request.source,
        'squash',
        'by hand',
      );
      request.state = 'merged';
    },
    protect: async (path) => void (find(path).approvalsRequired = 1),
    allowRebase: async (path) => void (find(path).mergeMethod = 'ff'),
    rename: async (path, name) => {
      const to = `${GROUP}/${name}`;
      gitlabServer.rename(path, to);
      return to;
    },
    remove: gitlabServer.remove,
    archive: async (path) => void (find(path).archived = true),
    setDefaultBranch: async (path, branch) => void (find(path).defaultBranch = branch),
    async issue(path, title, comments) {
      const { issues } = find(path);
      const notes = comments.map((body) => ({ author: 'ann', body, system: false }));
      issues.push({
        iid: issues.length + 1,
        title,
        description: null,
        state: 'opened',
        author: 'ann',
        labels: [],
        notes,
      });
      return issues.length;
    },
    readerToken: async () => gitlabServer.token('reader'),
    async anotherToken() {
      const token = gitlabServer.token('bot');
      return { token, end: async () => gitlabServer.setToken(token, 'expired') };
    },
    delivery: (id, secret, number, branch) => ({
      headers: { 'idempotency-key': id, 'x-gitlab-event': 'Merge Request Hook', 'x-gitlab-token': secret },
      body: Buffer.from(
        JSON.stringify({
          object_kind: 'merge_request',
          object_attributes: { iid: number, source_branch: branch, action: 'merge', state: 'merged' },
        }),
      ),
    }),
  };
}
