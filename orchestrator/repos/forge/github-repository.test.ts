import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeOf, githubRig, proposal } from './testing/github-rig.ts';

const BRANCH = 'autocode/1-fix-the-sum';
const STATUSES = [
  { context: 'autocode/test', passed: true, description: `passed in 1.0 s${'!'.repeat(300)}` },
  { context: 'autocode/lint', passed: false, description: 'failed with exit code 1' },
];

test('a branch gets one pull request with labels, reviewers and statuses; again nothing is written twice', async () => {
  await using rig = await githubRig();
  const commit = await rig.push(BRANCH, { 'a.txt': 'a\n' });
  const wanted = proposal(BRANCH, commit, {
    labels: ['autocode', 'Bug'],
    reviewers: ['ann', 'nobody', 'bot', 'acme/core', 'acme/none'],
    statuses: STATUSES,
  });
  const { number, url, state, head, notes } = await rig.forge.propose(wanted);
  assert.deepEqual([number, url, state, head], [1, `${rig.fake.url}/acme/shop/pull/1`, 'open', commit]);
  assert.equal(notes.length, 2);
  assert.match(notes[0]!, /^nobody could not be asked for a review: .*not a collaborator/);
  assert.match(notes[1]!, /^acme\/none could not/);
  const { pulls, statuses } = rig.repository;
  const { labels, reviewers, teams, author } = pulls[0]!;
  assert.deepEqual([author, labels, reviewers, teams], ['bot', ['autocode', 'Bug'], ['ann'], ['core']]);
  assert.deepEqual(
    statuses.map((status) => [status.context, status.state, status.description.length]),
    [
      ['autocode/test', 'success', 140],
      ['autocode/lint', 'failure', 23],
    ],
  );
  const before = rig.fake.requests.length;
  await rig.forge.propose({ ...wanted, reviewers: ['ann', 'acme/core'] });
  const writes = rig.fake.requests.slice(before).filter((line) => !line.startsWith('GET '));
  assert.deepEqual(writes, []);
  assert.equal(pulls.length, 1);
});

test('an App says the results of checks by check runs, and changes those that it has made', async () => {
  await using rig = await githubRig();
  rig.asApp();
  const commit = await rig.push(BRANCH, { 'a.txt': 'a\n' });
  await rig.forge.propose(proposal(BRANCH, commit, { statuses: STATUSES }));
  const again = STATUSES.map((status) => ({ ...status, passed: true }));
  await rig.forge.propose(proposal(BRANCH, commit, { statuses: again }));
  assert.deepEqual(
    rig.repository.checkRuns.map(({ name, conclusion, sha }) => [name, conclusion, sha]),
    [
      ['autocode/test', 'success', commit],
      ['autocode/lint', 'success', commit],
    ],
  );
  assert.deepEqual(rig.repository.statuses, []);
  assert.equal(rig.fake.requests.filter((line) => line.startsWith('PATCH ')).length, 1);
});

test('the next result updates it; a closed one is opened again, or followed by a new one where GitHub refuses', async () => {
  await using rig = await githubRig();
  const commit = await rig.push(BRANCH, { 'a.txt': 'a\n' });
  const proposed = await rig.forge.propose(proposal(BRANCH, commit));
  await rig.forge.propose(proposal(BRANCH, commit, { title: 'Fix it', body: 'Better.' }));
  const [pull] = rig.repository.pulls;
  assert.deepEqual([pull?.title, pull?.body], ['Fix it', 'Better.']);
  const change = changeOf(proposed, BRANCH);
  await rig.forge.close(change);
  await rig.forge.close(change);
  assert.equal((await rig.forge.read([change]))[0]?.state, 'closed');
  await rig.push(BRANCH, { 'b.txt': 'b\n' });
  assert.equal((await rig.forge.propose(proposal(BRANCH, commit))).number, 1);
  assert.equal(pull?.state, 'open');
  await rig.forge.close(change);
  const id = String(rig.repository.id);
  await rig.fake.site.rebase(id, await rig.push('main', { 'c.txt': 'c\n' }), BRANCH);
  assert.equal((await rig.forge.propose(proposal(BRANCH, commit))).number, 2);
});

test('a branch of the same name in a fork is not taken for ours', async () => {
  await using rig = await githubRig();
  const commit = await rig.push(BRANCH, { 'a.txt': 'a\n' });
  const theirs = {
    number: 1,
    node_id: 'x',
    html_url: 'x',
    title: 't',
    body: null,
    state: 'open',
    draft: false,
  };
  const fork = { ref: BRANCH, sha: commit, repo: { id: 1 } };
  const base = { ref: 'main', repo: { id: rig.repository.id } };
  const body = [{ ...theirs, merged_at: null, user: null, head: fork, base, labels: [] }];
  rig.fake.answerNext(/GET .*\/pulls\?/, { status: 200, body });
  assert.equal((await rig.forge.propose(proposal(BRANCH, commit))).number, 1);
  assert.equal(rig.repository.pulls[0]?.author, 'bot');
});

test('a draft stays one while drafts are wanted, and is made ready when they are not', async () => {
  await using rig = await githubRig();
  const commit = await rig.push(BRANCH, { 'a.txt': 'a\n' });
  const draft = proposal(BRANCH, commit, { draft: true });
  await rig.forge.propose(draft);
  const [pull] = rig.repository.pulls;
  await rig.forge.propose(draft);
  assert.equal(pull?.draft, true);
  await rig.forge.propose({ ...draft, draft: false });
  assert.equal(pull.draft, false);
  await rig.forge.propose(draft); // a person has made it ready: it stays so
  assert.equal(pull.draft, false);
});

test('what GitHub does not open says what to do', async () => {
  await using rig = await githubRig();
  const commit = await rig.push(BRANCH, { 'a.txt': 'a\n' });
  rig.repository.drafts = false;
  await assert.rejects(rig.forge.propose(proposal(BRANCH, commit, { draft: true })), {
    code: 'ERR_FORGE_REFUSED',
    message: /Draft pull requests are not supported in this repository/,
    remedy: /--no-draft/,
  });
  await assert.rejects(rig.forge.propose(proposal(BRANCH, commit, { baseBranch: 'master' })), {
    code: 'ERR_FORGE_REFUSED',
    message: /Validation Failed; PullRequest base invalid/,
    remedy: /The branch master may be gone or renamed/,
  });
});

test('a list that is behind does not lead to a second pull request', async () => {
  await using rig = await githubRig();
  const commit = await rig.push(BRANCH, { 'a.txt': 'a\n' });
  await rig.forge.propose(proposal(BRANCH, commit));
  rig.fake.answerNext(/GET .*\/pulls\?/, { status: 200, body: [] });
  assert.equal((await rig.forge.propose(proposal(BRANCH, commit))).number, 1);
});

test('a token without a permission says which one GitHub wants', async () => {
  await using rig = await githubRig();
  rig.credential.token = rig.fake.newToken('bot', { contents: 'write', metadata: 'read' });
  const commit = await rig.push(BRANCH, { 'a.txt': 'a\n' });
  await assert.rejects(rig.forge.propose(proposal(BRANCH, commit)), {
    code: 'ERR_FORGE_DENIED',
    message: /may not POST .*Resource not accessible by personal access token/,
    remedy: /the permission pull_requests=write/,
  });
});

test('access is refused where nothing may be pushed, and for an archived or unseen repository', async () => {
  await using rig = await githubRig();
  await rig.forge.check();
  rig.repository.members.set('bot', 'read');
  await assert.rejects(rig.forge.check(), {
    code: 'ERR_FORGE_DENIED',
    message: /may not push to acme\/shop/,
  });
  rig.repository.archived = true;
  await assert.rejects(rig.forge.check(), { code: 'ERR_FORGE_DENIED', message: /archived/ });
  rig.repository.members.delete('bot');
  await assert.rejects(rig.forge.check(), { code: 'ERR_NOT_FOUND' });
});

test('a repository that was renamed is followed, reading and writing; one that was deleted is told', async () => {
  await using rig = await githubRig();
  const commit = await rig.push(BRANCH, { 'a.txt': 'a\n' });
  const proposed = await rig.forge.propose(proposal(BRANCH, commit));
  rig.fake.rename('acme/shop', 'newacme/store');
  const again = await rig.forge.propose(proposal(BRANCH, commit, { title: 'Fix it' }));
  assert.deepEqual([again.number, rig.repository.pulls[0]?.title], [1, 'Fix it']);
  await rig.forge.comment(changeOf(proposed, BRANCH), 'Still here.');
  const said = rig.repository.pulls[0]?.comments.map(({ author, body }) => ({ author, body }));
  assert.deepEqual(said, [{ author: 'bot', body: 'Still here.' }]);
  await rig.fake.remove('newacme/store');
  await assert.rejects(rig.forge.read([changeOf(proposed, BRANCH)]), {
    code: 'ERR_NOT_FOUND',
    remedy: /renamed or deleted/,
  });
});

test('open changes that have not changed cost nothing of the rate limit', async () => {
  await using rig = await githubRig();
  const commit = await rig.push(BRANCH, { 'a.txt': 'a\n' });
  const change = changeOf(await rig.forge.propose(proposal(BRANCH, commit)), BRANCH);
  await rig.forge.read([change]);
  await rig.forge.read([change]);
  const { remaining } = rig.fake.limit;
  const unchanged = rig.fake.unchanged();
  const [state] = await rig.forge.read([change, change]);
  assert.deepEqual([state?.state, state?.head], ['open', commit]);
  assert.equal(rig.fake.limit.remaining, remaining);
  assert.equal(rig.fake.unchanged(), unchanged + 4);
  await rig.forge.close(change);
  assert.equal((await rig.forge.read([change]))[0]?.state, 'closed');
});

test('an issue is read with its labels and all pages of its comments; a pull request is none', async () => {
  await using rig = await githubRig();
  rig.fake.state.pageMax = 2;
  const comments = ['one', 'two', 'three'].map((body) => ({ author: 'eve', body }));
  rig.fake.addIssue('acme/shop', {
    title: 'Sums are wrong',
    body: 'Add them.',
    labels: ['bug'],
    comments: structuredClone(comments), // the forge gives them numbers
  });
  assert.deepEqual(await rig.forge.issue(1), {
    number: 1,
    url: `${rig.fake.url}/acme/shop/issues/1`,
    title: 'Sums are wrong',
    body: 'Add them.',
    labels: ['bug'],
    author: 'ann',
    state: 'open',
    comments,
  });
  const commit = await rig.push(BRANCH, { 'a.txt': 'a\n' });
  await rig.forge.propose(proposal(BRANCH, commit));
  await assert.rejects(rig.forge.issue(2), { code: 'ERR_NOT_FOUND', message: /is a pull request/ });
  await assert.rejects(rig.forge.issue(9), { code: 'ERR_NOT_FOUND' });
});
