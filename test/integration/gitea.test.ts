// Submission, merges and the look at changes against a real Gitea.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Change } from '../../protocol/change.ts';
import type { Check } from '../../protocol/run.ts';
import { mergeChange, refreshChange, refreshChanges } from '../../orchestrator/repos/merge.ts';
import { startGitea, type Gitea } from '../support/gitea.ts';
import { forgeRig } from './forge-rig.ts';

let gitea: Gitea;
before(async () => {
  gitea = await startGitea();
  for (const user of ['ann', 'ben', 'cy']) await gitea.addUser(user);
});
after(async () => await gitea[Symbol.asyncDispose]());

async function giteaRepository(name: string, files?: Record<string, string>): Promise<void> {
  await gitea.repository(name, files);
  for (const user of ['ann', 'ben'])
    await gitea.call('PUT', `/repos/acme/${name}/collaborators/${user}`, { permission: 'write' });
}

const result = (status: 'passed' | 'failed') => ({
  status,
  exitCode: status === 'passed' ? 0 : 1,
  durationMs: 1200,
  output: '',
});
const CHECKS: Check[] = [
  { name: 'test', command: 'npm test', base: result('failed'), head: result('passed') },
  { name: 'lint', command: 'npm run lint', base: result('passed'), head: result('failed') },
];

test('a result becomes a pull request with template, reviewers, labels and statuses; the next run updates it', async () => {
  await giteaRepository('whole', {
    '.gitea/pull_request_template.md': 'Ticket: …\n\n<!-- autocode -->\n\n- [ ] read\n',
    '.github/CODEOWNERS': '* @cy\n/src/ @ann nobody@example.test\nsrc/secret/ @ghost @bot\n',
  });
  await using rig = await forgeRig(gitea);
  const project = await rig.project('whole', { reviewers: ['ben'], labels: ['robot'] });
  assert.equal(project.repositories[0]?.forge, new URL(rig.line.url).host.replace(':', '-'));
  const { run, task } = await rig.done(
    project,
    'Fix the sum',
    { 'src/a.ts': 'a\n', 'src/secret/b.ts': 'b\n' },
    CHECKS,
  );
  await rig.submit(run);
  const change = await rig.changeOf(task);
  const pull = await gitea.call('GET', `/repos/acme/whole/pulls/${change.number}`);
  assert.equal(change.url, `${rig.line.url}/acme/whole/pulls/${change.number}`);
  assert.deepEqual(
    [pull.title, pull.state, pull.user.login, pull.head.sha],
    ['Fix the sum', 'open', 'bot', change.headCommit],
  );
  assert.match(pull.body, /^Ticket: …\n\n## Asked[^]*## What it took[^]*- \[ \] read\n$/);
  assert.deepEqual(pull.requested_reviewers.map((user: { login: string }) => user.login).sort(), [
    'ann',
    'ben',
  ]);
  assert.deepEqual(
    pull.labels.map((label: { name: string }) => label.name),
    ['robot'],
  );
  const statuses = await gitea.call('GET', `/repos/acme/whole/commits/${change.headCommit}/status`);
  const shown = statuses.statuses
    .map((one: Record<string, string>) => `${one.context} ${one.status}: ${one.description}`)
    .sort();
  assert.deepEqual(shown, [
    'autocode/lint failure: failed with exit code 1 in 1.2 s; before: passed',
    'autocode/test success: passed in 1.2 s; before: failed with exit code 1',
  ]);
  const [opened] = await rig.events('change.opened');
  assert.match(String(opened?.notes), /^ghost could not be asked for a review: /);

  const second = await rig.again(task, { 'src/a.ts': 'b\n' }, CHECKS);
  await rig.submit(second.run);
  const updated = await rig.changeOf(task);
  assert.equal(updated.number, change.number);
  assert.notEqual(updated.headCommit, change.headCommit);
  assert.equal((await gitea.call('GET', '/repos/acme/whole/pulls?state=all')).length, 1);
  assert.match(
    (await gitea.call('GET', `/repos/acme/whole/pulls/${change.number}`)).body,
    new RegExp(`${task}, ${second.run}`),
  );
});

test('what people do at the forge is seen by the look at it: moved, merged, closed', async () => {
  await giteaRepository('poll');
  await using rig = await forgeRig(gitea);
  const project = await rig.project('poll');
  const look = async () => await refreshChanges(rig.deps, assert.ifError);
  const [merged, closed] = [
    await rig.done(project, 'one', { 'a.txt': 'a\n' }),
    await rig.done(project, 'two', { 'b.txt': 'b\n' }),
  ];
  await rig.submit(merged.run);
  await rig.submit(closed.run);
  const [first, second] = [await rig.changeOf(merged.task), await rig.changeOf(closed.task)];
  await look();
  assert.deepEqual(
    [(await rig.changeOf(merged.task)).state, (await rig.changeOf(merged.task)).forgeHead],
    ['open', null],
  );
  await gitea.call('POST', '/repos/acme/poll/contents/more.txt', {
    content: 'bQ==',
    message: "Ann's",
    branch: first.branch,
  });
  await gitea.call('PATCH', `/repos/acme/poll/pulls/${second.number}`, { state: 'closed' });
  await until(async () => {
    await look();
    return (await rig.changeOf(merged.task)).forgeHead !== null;
  });
  const head = (await gitea.call('GET', `/repos/acme/poll/branches/${first.branch}`)).commit.id;
  assert.deepEqual(await rig.events('change.moved'), [{ change: first.id, head }]);
  assert.equal((await rig.changeOf(closed.task)).state, 'closed');
  await mergeByPerson('poll', first.number!);
  await look();
  assert.equal((await rig.changeOf(merged.task)).state, 'merged');
  assert.equal((await rig.events('change.merged')).length, 1);
  assert.equal((await rig.events('change.closed')).length, 1);
});

test('a later run does not overwrite what a person added to the branch', async () => {
  await giteaRepository('foreign');
  await using rig = await forgeRig(gitea);
  const project = await rig.project('foreign');
  const { run, task } = await rig.done(project, 'one', { 'a.txt': 'a\n' });
  await rig.submit(run);
  const { branch, id } = await rig.changeOf(task);
  await gitea.call('POST', '/repos/acme/foreign/contents/more.txt', {
    content: 'bQ==',
    message: "Ann's",
    branch,
  });
  await refreshChange(rig.deps, id);
  const second = await rig.again(task, { 'a.txt': 'b\n' });
  await rig.submit(second.run);
  const state = await rig.stateOf(second.run);
  assert.equal(state.state, 'failed');
  assert.match(state.reason ?? '', /commits that are not Autocode's/);
});

test('a change is merged and closed through the forge; a protected branch refuses in its own words until it is approved', async () => {
  await giteaRepository('merge');
  await gitea.call('POST', '/repos/acme/merge/branch_protections', {
    rule_name: 'main',
    required_approvals: 1,
    enable_push: false,
  });
  await using rig = await forgeRig(gitea);
  const project = await rig.project('merge');
  const [one, two] = [
    await rig.done(project, 'one', { 'a.txt': 'a\n' }),
    await rig.done(project, 'two', { 'b.txt': 'b\n' }),
  ];
  await rig.submit(one.run);
  await rig.submit(two.run);
  const change = await rig.changeOf(one.task);
  await assert.rejects(mergeChange(rig.deps, change.id), (error: Error & { code: string }) => {
    assert.match(error.message, /approvals/);
    return error.code === 'ERR_FORGE_REFUSED';
  });
  assert.equal((await rig.changeOf(one.task)).state, 'open');
  const ann = await gitea.token('ann', ['write:repository']);
  await gitea.call(
    'POST',
    `/repos/acme/merge/pulls/${change.number}/reviews`,
    { event: 'APPROVED', body: 'ok' },
    ann,
  );
  assert.equal((await mergeChange(rig.deps, change.id)).state, 'merged');
  assert.equal((await gitea.call('GET', `/repos/acme/merge/pulls/${change.number}`)).merged, true);
  const other = await rig.changeOf(two.task);
  assert.equal((await rig.repositories.closeChange(other.id)).state, 'closed');
  const pull = await gitea.call('GET', `/repos/acme/merge/pulls/${other.number}`);
  assert.deepEqual([pull.state, pull.merged], ['closed', false]);
  await gitea.call('GET', `/repos/acme/merge/branches/${other.branch}`); // it stays
  // The task goes on: its pull request is opened again, there is no second one.
  const again = await rig.again(two.task, { 'b.txt': 'c\n' });
  await rig.submit(again.run);
  assert.equal((await rig.changeOf(two.task)).number, other.number);
  assert.equal((await gitea.call('GET', `/repos/acme/merge/pulls/${other.number}`)).state, 'open');
});

test('after a merge the next run of the task gets a new pull request', async () => {
  await giteaRepository('after');
  await using rig = await forgeRig(gitea);
  const project = await rig.project('after');
  const { run, task } = await rig.done(project, 'one', { 'a.txt': 'a\n' });
  await rig.submit(run);
  const first = await rig.changeOf(task);
  await mergeByPerson('after', first.number!);
  await refreshChange(rig.deps, first.id);
  const second = await rig.again(task, { 'a.txt': 'b\n' });
  await rig.submit(second.run);
  const change = await rig.changeOf(task);
  assert.deepEqual([change.state, change.number], ['open', first.number! + 1]);
});

test('reviews, a conflict and missing approvals are seen with the change, and told as events', async () => {
  await giteaRepository('reviewed', { 'a.txt': 'a\n' });
  await gitea.call('POST', '/repos/acme/reviewed/branch_protections', {
    rule_name: 'main',
    required_approvals: 1,
    enable_push: true,
  });
  await using rig = await forgeRig(gitea);
  const project = await rig.project('reviewed');
  const { run, task } = await rig.done(project, 'one', { 'a.txt': 'ours\n' });
  await rig.submit(run);
  const { id, number } = await rig.changeOf(task);
  const seen = async () => {
    await refreshChange(rig.deps, id);
    return await rig.changeOf(task);
  };
  await until(async () => (await seen()).mergeable === 'blocked');
  assert.match((await seen()).mergeReason ?? '', /0 of the 1 approvals/);
  const say = async (user: string, event: string) =>
    await gitea.call(
      'POST',
      `/repos/acme/reviewed/pulls/${number}/reviews`,
      { event, body: 'so' },
      await gitea.token(user, ['write:repository']),
    );
  await say('ben', 'REQUEST_CHANGES');
  assert.equal((await seen()).review, 'changes-requested');
  await say('ann', 'APPROVED');
  const { review, reviews } = await seen();
  assert.equal(review, 'changes-requested');
  assert.deepEqual(reviews, [
    { by: 'ann', says: 'approved', stale: false },
    { by: 'ben', says: 'changes-requested', stale: false },
  ]);
  await gitea.call('POST', `/repos/acme/reviewed/pulls/${number}/requested_reviewers`, {
    reviewers: ['ben'],
  });
  assert.equal((await seen()).review, 'approved');
  await say('ben', 'APPROVED');
  await until(async () => (await seen()).mergeable === 'yes');
  assert.equal((await seen()).review, 'approved');
  assert.deepEqual(
    (await rig.events('change.reviewed')).map(({ by, review }) => [by, review].join(' ')),
    ['ben changes-requested', 'ann approved', 'ben none', 'ben approved'],
  );
  await gitea.call('PUT', '/repos/acme/reviewed/contents/a.txt', {
    content: Buffer.from('theirs\n').toString('base64'),
    message: "Ann's",
    sha: (await gitea.call('GET', '/repos/acme/reviewed/contents/a.txt')).sha,
  });
  await until(async () => (await seen()).mergeable === 'conflicts');
  assert.equal((await seen()).mergeReason, 'a.txt');
  assert.equal((await rig.events('change.mergeable')).at(-1)?.mergeable, 'conflicts');
});

test('a stack follows when its lowest is merged: each rebased, directed as it was, and without words about what is below no more', async () => {
  await giteaRepository('stacked', { 'a.txt': 'a\n' });
  await using rig = await forgeRig(gitea);
  const project = await rig.project('stacked', { afterChange: 'stack' });
  const tasks: number[] = [];
  for (const word of ['one', 'two', 'three']) {
    const { task, run } = await rig.done(project, word, { [`${word}.txt`]: `${word}\n` });
    await rig.submit(run);
    tasks.push(task);
  }
  const changes = async () => await Promise.all(tasks.map(async (task) => await rig.changeOf(task)));
  const [first, second, third] = (await changes()) as [Change, Change, Change];
  assert.deepEqual([second.onto, third.onto], [first.id, second.id]);
  const pull = async ({ number }: Change, part = '') =>
    await gitea.call('GET', `/repos/acme/stacked/pulls/${number}${part}`);
  const ownCommit = async (change: Change) => {
    await until(async () => (await pull(change)).head.sha === change.headCommit);
    await until(async () => (await pull(change, '/commits')).length === 1);
    const { base, body, state } = await pull(change);
    assert.deepEqual([state, change.forgeHead, change.baseCommit], ['open', null, base.sha]);
    return [base.ref, change.onto, /Built upon/.test(body)];
  };
  for (const [change, below] of [
    [second, first],
    [third, second],
  ] as const)
    await gitea.call('PATCH', `/repos/acme/stacked/pulls/${change.number}`, { base: below.branch }); // a person likes it so
  await mergeByPerson('stacked', first.number!);
  await refreshChanges(rig.deps, assert.ifError);
  const [, middle, upper] = (await changes()) as [Change, Change, Change];
  assert.deepEqual(await ownCommit(middle), ['main', null, false]);
  assert.deepEqual(await ownCommit(upper), [second.branch, second.id, true]);
  await mergeByPerson('stacked', second.number!);
  await refreshChanges(rig.deps, assert.ifError);
  assert.deepEqual(await ownCommit(await rig.changeOf(tasks[2]!)), ['main', null, false]);
  assert.equal((await rig.events('change.followed')).length, 3);
  assert.deepEqual(await rig.events('change.moved'), []);
});

async function mergeByPerson(repository: string, number: number): Promise<void> {
  const merge = async () =>
    await gitea.call('POST', `/repos/acme/${repository}/pulls/${number}/merge`, { Do: 'squash' });
  await until(
    async () =>
      await merge().then(
        () => true,
        (error: Error) => {
          assert.match(error.message, /try again later/i);
          return false;
        },
      ),
  );
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await holds()); await delay(100))
    assert.ok(Date.now() < deadline, 'waited in vain');
}
