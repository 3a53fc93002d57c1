import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gitlab } from './gitlab.ts';
import { titled } from './gitlab-shapes.ts';

test('a delivery is taken for its secret token alone, whatever the length of another', () => {
  const body = Buffer.from('{}');
  const table: [string, boolean][] = [
    ['hook-secret', true],
    ['hook-secres', false],
    ['hook-secret ', false],
    ['', false],
    ['h', false],
    ['ø'.repeat(200), false],
  ];
  for (const [token, expected] of table) {
    assert.equal(gitlab.webhook.isSigned(body, 'hook-secret', token), expected, token);
  }
});

test('a delivery tells the number and branch of a merge request, or the branch of a push; any other tells nothing', () => {
  const { read } = gitlab.webhook;
  const attributes = { iid: 7, source_branch: 'autocode/1', target_branch: 'main', action: 'merge' };
  const event = { object_kind: 'merge_request', object_attributes: attributes };
  assert.deepEqual(read('Merge Request Hook', event), { number: 7, branch: 'autocode/1' });
  assert.deepEqual(read('System Hook', event), { number: 7, branch: 'autocode/1' });
  const push = { object_kind: 'push', project: { path_with_namespace: 'acme/tools/shop' } };
  assert.deepEqual(read('Push Hook', { ...push, ref: 'refs/heads/main' }), {
    path: 'acme/tools/shop',
    pushed: 'main',
  });
  for (const other of [
    { ...push, ref: 'refs/tags/v1' },
    { object_kind: 'note', object_attributes: { iid: 7 }, merge_request: attributes },
    { ...event, object_attributes: { iid: 'seven', source_branch: 'x' } },
    undefined,
    null,
    'text',
  ]) {
    assert.equal(read('Merge Request Hook', other), undefined);
  }
});

test('the title tells whether it is a draft, in all the ways that GitLab reads', () => {
  for (const title of ['Fix', 'Draft: Fix', 'draft:Fix', '[Draft] Fix', '(DRAFT) Fix']) {
    assert.equal(titled(title, false), 'Fix', title);
    assert.equal(titled(title, true), 'Draft: Fix', title);
  }
  assert.equal(titled('Drafty: Fix', false), 'Drafty: Fix');
  assert.equal(titled('x'.repeat(255), true).length, 255);
});
