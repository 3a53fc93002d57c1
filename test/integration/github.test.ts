// A project on GitHub from its registration to the merge, by token and as an App.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { mergeChange, closeChange, refreshChanges } from '../../orchestrator/repos/merge.ts';
import { examplesOf } from '../../orchestrator/repos/forge/testing/github-deliveries.ts';
import { startFakeGitHub } from '../support/fake-github.ts';
import type { FakeGitHub } from '../support/fake-github.ts';
import { forgeRig } from './forge-rig.ts';
import type { ForgeRig } from './forge-rig.ts';

let github: FakeGitHub;
before(async () => void (github = await startFakeGitHub()));
after(async () => await github[Symbol.asyncDispose]());

const CHECKS = [
  {
    name: 'test',
    command: 'npm test',
    base: null,
    head: { status: 'passed' as const, exitCode: 0, durationMs: 1200, output: '' },
  },
];

const rigOf = async () => await forgeRig({ url: github.url, botToken: github.token });

/** One of GitHub's own example deliveries, made to be about a pull request of ours, signed and delivered. */
async function deliver(rig: ForgeRig, event: string, id: string, about: { number: number; branch: string }) {
  const example = structuredClone(examplesOf(event)[0]!);
  example.pull_request.number = about.number;
  example.pull_request.head.ref = about.branch;
  await send(rig, event, id, example);
}

/** A delivery, signed. */
async function send(rig: ForgeRig, event: string, id: string, payload: object) {
  const body = Buffer.from(JSON.stringify(payload));
  const signature = `sha256=${createHmac('sha256', 'hook-secret').update(body).digest('hex')}`;
  const forge = new URL(rig.line.url).host.replace(':', '-');
  const { looked } = await rig.repositories.receiveHook({
    kind: 'github',
    forge,
    id,
    event,
    signature,
    body,
  });
  await looked;
}

test('a result becomes a draft with template, label, reviewer and status; its merge by a person is told', async () => {
  const template = '## What\n<!-- autocode -->\n## Checklist\n';
  await github.addRepository('acme/shop', { '.github/pull_request_template.md': template });
  await using rig = await rigOf();
  const project = await rig.project('shop', {
    draft: true,
    labels: ['autocode'],
    reviewers: ['ann', 'acme/core'],
  });
  const { run, task } = await rig.done(project, 'Fix the sum', { 'a.txt': 'a\n' }, CHECKS);
  await rig.submit(run);
  const change = await rig.changeOf(task);
  const [pull] = github.find('acme/shop').pulls;
  assert.deepEqual(
    [pull?.draft, pull?.labels, pull?.reviewers, pull?.teams, pull?.author],
    [true, ['autocode'], ['ann'], ['core'], 'bot'],
  );
  assert.match(pull?.body ?? '', /^## What\n[^]*The body\.[^]*## Checklist/);
  assert.deepEqual([change.number, change.state, change.branch], [1, 'open', pull?.head]);
  const { statuses } = github.find('acme/shop');
  assert.deepEqual([statuses[0]?.context, statuses[0]?.state], ['autocode/test', 'success']);
  const id = String(github.find('acme/shop').id);
  const mergeCommit = await github.site.merge(id, 'main', pull!.head, 'squash', 'by Ann');
  Object.assign(pull!, {
    state: 'closed',
    mergedAt: new Date().toISOString(),
    mergeCommit,
    sha: change.headCommit,
  });
  const about = { number: 1, branch: change.branch };
  await deliver(rig, 'pull_request', 'd1', about);
  assert.equal((await rig.changeOf(task)).state, 'merged');
  const before = github.requests.length;
  await deliver(rig, 'pull_request', 'd1', about);
  assert.equal(github.requests.length, before);
});

test('what somebody says in a review is told as an event', async () => {
  await github.addRepository('acme/reviewed');
  await using rig = await rigOf();
  const { run, task } = await rig.done(await rig.project('reviewed'), 'Fix it', { 'a.txt': 'a\n' });
  await rig.submit(run);
  const { id, number, branch, headCommit: commit } = await rig.changeOf(task);
  const review = {
    id: 1,
    by: 'Codertocat',
    state: 'COMMENTED',
    body: '',
    at: '2026-01-01T00:00:00Z',
    commit,
  };
  github.find('acme/reviewed').pulls[0]!.reviews = [review];
  await deliver(rig, 'pull_request_review', 'd2', { number: number!, branch });
  const [told, ...others] = await rig.events('change.reviewed');
  assert.deepEqual([told, others], [{ change: id, by: 'Codertocat', review: 'commented' }, []]);

  // A push to its base branch has it looked at, too; one to another branch or repository has not.
  const looks = async (ref: string, repository: string, delivery: string) => {
    const before = github.requests.length;
    await send(rig, 'push', delivery, { ref, repository: { full_name: repository } });
    return github.requests.slice(before).some((line) => line.endsWith(`/pulls/${number}`));
  };
  assert.equal(await looks('refs/heads/main', 'acme/Reviewed', 'p1'), true);
  assert.equal(await looks('refs/heads/main', 'me/reviewed', 'p2'), false);
  assert.equal(await looks('refs/heads/other', 'acme/reviewed', 'p3'), false);
});

test('an App is registered by its id and key, pushes, and merges by the method of the project', async () => {
  await github.addRepository('acme/app');
  const { appId, privateKey } = github.addApp('acme');
  await using rig = await rigOf();
  const project = await rig.project('app', {
    forge: { token: privateKey, appId, kind: 'github' },
    mergeMethod: 'squash',
    draft: true,
  });
  const { run, task } = await rig.done(project, 'Fix it', { 'a.txt': 'a\n' }, CHECKS);
  await rig.submit(run);
  const { id, branch } = await rig.changeOf(task);
  const repository = github.find('acme/app');
  assert.deepEqual(
    [repository.pulls[0]?.author, repository.checkRuns[0]?.name],
    ['autocode[bot]', 'autocode/test'],
  );
  for (const token of github.state.tokens.keys()) if (token.startsWith('ghs_')) github.revoke(token);
  assert.equal((await mergeChange(rig.deps, id)).state, 'merged');
  assert.deepEqual(await github.site.shape(String(repository.id), 'main'), { commits: 2, parents: 1 });
  assert.equal(repository.pulls[0]?.head, branch);
});

test('a change is closed with a comment; the next result of its task is a new pull request on the same branch', async () => {
  await github.addRepository('acme/closed');
  await using rig = await rigOf();
  const { run, task } = await rig.done(await rig.project('closed'), 'Fix it', { 'a.txt': 'a\n' });
  await rig.submit(run);
  const change = await rig.changeOf(task);
  await closeChange(rig.deps, change.id, 'Not now.');
  const { pulls } = github.find('acme/closed');
  assert.deepEqual([pulls[0]?.state, pulls[0]?.comments[0]?.body], ['closed', 'Not now.']);
  const again = await rig.again(task, { 'b.txt': 'b\n' });
  await rig.submit(again.run);
  assert.deepEqual(
    pulls.map(({ state, head }) => [state, head]),
    [
      ['closed', change.branch],
      ['open', change.branch],
    ],
  );
  assert.equal((await rig.changeOf(task)).number, 2);
});

test('a rate limit keeps the run waiting and stops all requests; after it the run goes on', async () => {
  await github.addRepository('acme/limited');
  await using rig = await rigOf();
  const { run, task } = await rig.done(await rig.project('limited'), 'Fix it', { 'a.txt': 'a\n' });
  const secondary = { message: 'You have exceeded a secondary rate limit. Please wait a few minutes.' };
  github.answerNext(/POST .*\/pulls$/, { status: 403, body: secondary, headers: { 'retry-after': '2' } });
  await rig.submit(run);
  assert.equal((await rig.stateOf(run)).state, 'succeeded');
  github.limit.remaining = 0;
  try {
    const later = await rig.again(task, { 'b.txt': 'b\n' });
    await assert.rejects(rig.submit(later.run), {
      code: 'ERR_FORGE_UNAVAILABLE',
      message: /allows no more requests for 3\d\d\d s/,
    });
    assert.equal((await rig.stateOf(later.run)).state, 'submitting');
    const before = github.requests.length;
    await refreshChanges(rig.deps, () => {});
    assert.equal(github.requests.length, before);
    assert.match((await rig.changeOf(task)).trouble ?? '', /allows no more requests/);
  } finally {
    github.limit.remaining = 5000;
  }
});

test('a protected branch refuses the push, and one that is not to be seen the project, in the words of GitHub', async () => {
  const repository = await github.addRepository('acme/guarded');
  await github.site.protect(String(repository.id), 'autocode/*', 'GH013: Repository rule violations found');
  await using rig = await rigOf();
  const { run } = await rig.done(await rig.project('guarded'), 'Fix it', { 'a.txt': 'a\n' });
  await rig.submit(run);
  const { state, reason } = await rig.stateOf(run);
  assert.equal(state, 'failed');
  assert.match(reason ?? '', /refused the branch autocode\/[^]*GH013: Repository rule violations found/);
  (await github.addRepository('acme/hidden')).members.delete('bot');
  await assert.rejects(rig.project('hidden'), { code: 'ERR_NOT_FOUND' });
});
