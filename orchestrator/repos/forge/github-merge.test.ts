import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeOf, githubRig, proposal } from './testing/github-rig.ts';
import type { GitHubRig } from './testing/github-rig.ts';

async function open(rig: GitHubRig, branch: string, files: Record<string, string>, draft = false) {
  const commit = await rig.push(branch, files);
  return changeOf(await rig.forge.propose(proposal(branch, commit, { draft })), branch);
}

test('a change is merged by the method that is asked for, or the first that the repository allows', async () => {
  await using rig = await githubRig();
  const shapes: { commits: number; parents: number }[] = [];
  for (const [index, method] of (['merge', 'squash', 'rebase', null] as const).entries()) {
    if (method === null) rig.repository.methods.delete('merge');
    const change = await open(rig, `b${index}`, { [`${index}.txt`]: `${index}\n` });
    await rig.forge.merge(change, method);
    shapes.push(await rig.main());
    const [read] = await rig.forge.read([change]);
    assert.equal(read?.state, 'merged');
    assert.equal(read.mergedCommit, rig.repository.pulls[index]?.mergeCommit);
    await rig.forge.merge(change, method); // again: nothing
  }
  assert.deepEqual(shapes, [
    { commits: 3, parents: 2 },
    { commits: 4, parents: 1 },
    { commits: 5, parents: 1 },
    { commits: 6, parents: 1 },
  ]);
});

test('a draft is made ready before it is merged', async () => {
  await using rig = await githubRig();
  const change = await open(rig, 'b', { 'a.txt': 'a\n' }, true);
  await rig.forge.merge(change, 'squash');
  assert.notEqual(rig.repository.pulls[0]?.mergedAt, null);
});

test('a conflict, a protected branch, a method that is not allowed and a closed one say what to do', async () => {
  await using rig = await githubRig();
  const change = await open(rig, 'b', { 'README.md': 'mine\n' });
  rig.repository.approvalsRequired = 1;
  await assert.rejects(rig.forge.merge(change, 'merge'), {
    code: 'ERR_FORGE_REFUSED',
    message: /\(405\): At least 1 approving review is required/,
    remedy: /protected: see at http.*\/acme\/shop\/pull\/1 which reviews or checks are missing/,
  });
  rig.repository.approvalsRequired = 0;
  rig.repository.methods.delete('squash');
  await assert.rejects(rig.forge.merge(change, 'squash'), {
    code: 'ERR_FORGE_REFUSED',
    message: /Squash merges are not allowed/,
    remedy: /--merge-method/,
  });
  await rig.push('main', { 'README.md': 'theirs\n' });
  await assert.rejects(rig.forge.merge(change, 'merge'), {
    code: 'ERR_MERGE_CONFLICT',
    message: /Change 7 conflicts with main/,
  });
  await rig.forge.close(change);
  await assert.rejects(rig.forge.merge(change, 'merge'), {
    code: 'ERR_FORGE_REFUSED',
    message: /was closed on GitHub/,
  });
});

test('what was looked at is what is merged, and nothing that was pushed since', async () => {
  await using rig = await githubRig();
  const change = await open(rig, 'b', { 'a.txt': 'a\n' });
  const words = 'Head branch was modified. Review and try the merge again.';
  rig.fake.answerNext(/PUT .*\/merge$/, { status: 409, body: { message: words } });
  await assert.rejects(rig.forge.merge(change, 'merge'), {
    code: 'ERR_FORGE_REFUSED',
    message: /Head branch was modified/,
    remedy: /Somebody has pushed/,
  });
  assert.equal(rig.repository.pulls[0]?.mergedAt, null);
});

test('a base that moved meanwhile, or an answer that was lost, is not an error', async () => {
  await using rig = await githubRig();
  const change = await open(rig, 'b', { 'a.txt': 'a\n' });
  const moved = 'Base branch was modified. Review and try the merge again.';
  rig.fake.answerNext(/PUT .*\/merge$/, { status: 405, body: { message: moved } });
  await rig.forge.merge(change, 'merge');
  assert.equal((await rig.main()).commits, 3);
  const second = await open(rig, 'c', { 'c.txt': 'c\n' });
  rig.fake.answerNext(/PUT .*\/merge$/, { status: 502, body: { message: 'Bad gateway' } });
  await rig.forge.merge(second, 'merge');
  assert.equal((await rig.main()).commits, 5);
});
