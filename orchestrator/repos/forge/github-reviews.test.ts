import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeOf, githubRig, proposal, type GitHubRig } from './testing/github-rig.ts';

/** An open pull request, and what a look at it says; the second look knows whether it merges. */
async function opened({ forge, push, repository }: GitHubRig) {
  const commit = await push('autocode/1', { 'README.md': 'ours\n' });
  const proposed = await forge.propose(proposal('autocode/1', commit));
  const change = changeOf(proposed, 'autocode/1');
  const look = async () => {
    await forge.read([change]);
    return (await forge.read([change]))[0]!;
  };
  return { commit, change, look, pull: repository.pulls[0]! };
}

const said = (id: number, by: string, state: string, commit: string) => ({
  id,
  by,
  state,
  commit,
  body: '',
  at: '2026-01-01T00:00:00Z',
});

test('reviews are read with what counts of them: not by oneself, dismissed, of an earlier commit or asked again', async () => {
  await using rig = await githubRig();
  const { commit, look, pull } = await opened(rig);
  const earlier = 'a'.repeat(40);
  pull.reviews = [
    said(1, 'ann', 'CHANGES_REQUESTED', earlier),
    said(2, 'bot', 'COMMENTED', commit),
    said(3, 'ben', 'DISMISSED', commit),
    said(4, 'cy', 'PENDING', commit),
    said(5, 'dan', 'APPROVED', earlier),
    said(6, 'eve', 'APPROVED', commit),
    said(7, 'ann', 'APPROVED', commit),
    said(8, 'ann', 'COMMENTED', commit),
  ];
  pull.reviewers = ['eve'];
  assert.deepEqual((await look()).reviews, [
    { by: 'ann', says: 'approved', stale: false },
    { by: 'dan', says: 'approved', stale: true },
  ]);
});

test('whether it merges is found out after a push, with the reason why not', async () => {
  await using rig = await githubRig();
  const { change, look, pull } = await opened(rig);
  const merges = async () => {
    const { mergeable, mergeReason } = await look();
    return [mergeable, mergeReason];
  };
  assert.deepEqual(await merges(), ['yes', null]);
  rig.repository.approvalsRequired = 1;
  assert.deepEqual(await merges(), ['blocked', 'the rules of main want reviews or checks that are missing']);
  pull.draft = true;
  assert.equal((await look()).draft, true);
  await rig.push('main', { 'README.md': 'theirs\n' });
  assert.equal((await rig.forge.read([change]))[0]?.mergeable, 'unknown');
  assert.deepEqual(await merges(), ['conflicts', null]);
});

test('the base of an open pull request is set where it is the one that is named, and no other', async () => {
  await using rig = await githubRig();
  const { change, look, pull } = await opened(rig);
  await rig.push('below', { 'b.txt': 'b\n' });
  pull.base = 'below';
  await rig.forge.retarget(change, 'other');
  assert.equal((await look()).base, 'below');
  await rig.forge.retarget(change, 'below');
  await rig.forge.retarget(change, 'below');
  assert.equal((await look()).base, 'main');
  assert.equal(rig.fake.requests.filter((line) => line.startsWith('PATCH ')).length, 1);
});
