import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeGitLab } from '../../../test/support/fake-gitlab.ts';
import type { ForgeFact } from './facts.ts';
import { gitlab } from './gitlab.ts';

const COMMIT = 'c'.repeat(40);

test('what is said of a merge request is told: requested changes, lines, comments, a pipeline that failed', async () => {
  await using server = await startFakeGitLab();
  const project = await server.project('acme/shop');
  const at = new Date().toISOString();
  project.requests.push({
    iid: 4,
    title: 'Faster till',
    description: '',
    state: 'opened',
    source: 'autocode/1',
    target: 'main',
    author: 'bot',
    labels: new Set(),
    reviewers: ['root'],
    squash: false,
    approvals: 0,
    notes: [
      { author: 'root', body: 'Not so.', system: false, at, line: { path: 'a.ts', line: 3 } },
      { author: 'root', body: 'changed the title', system: true, at },
      { author: 'root', body: '@autocode again', system: false, at },
    ],
    sha: undefined,
    mergeCommit: null,
    squashCommit: null,
    rebaseError: null,
    asks: ['root'],
    pipelines: [
      { sha: COMMIT, status: 'failed', source: 'external' },
      { sha: COMMIT, status: 'failed', source: 'push' },
    ],
  });
  const host = gitlab.hostOf({
    name: 'git',
    url: server.url,
    credential: async () => await Promise.resolve({ token: server.botToken, appId: null }),
  });
  const facts = await host.repository('acme/shop').activity({
    since: new Date(Date.now() - 60_000),
    labels: [],
    assignee: null,
    changes: [{ number: 4, commit: COMMIT, branch: 'autocode/1' }],
  });
  assert.partialDeepStrictEqual(facts, [
    { what: 'review', says: 'line', place: 'a.ts:3', text: 'Not so.' },
    { what: 'comment', onChange: true, text: '@autocode again' },
    { what: 'review', says: 'changes-requested', by: 'root', number: 4, text: '' },
    { what: 'check', name: 'pipeline', commit: COMMIT, branch: 'autocode/1' },
  ]);
  const asked = facts.find((fact) => fact.what === 'review' && fact.says === 'changes-requested');
  const [told] = gitlab.webhook.facts('Merge Request Hook', {
    object_kind: 'merge_request',
    user: { id: 1, username: 'root' },
    project: { path_with_namespace: 'acme/shop' },
    object_attributes: { iid: 4, url: 'https://git/x', last_commit: { id: COMMIT } },
    changes: { reviewers: { current: [{ username: 'root', state: 'requested_changes' }] } },
  });
  const idOf = (fact: ForgeFact | undefined) => (fact?.what === 'review' ? fact.id : undefined);
  assert.ok(idOf(asked));
  assert.equal(idOf(told), idOf(asked), 'the same by both ways');
});
