// Who set a label or an assignee, by the history of an issue.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whoMarked } from './facts.ts';

test('whoever was the last to set what is asked for marked an issue, and nobody else', () => {
  const labels = ['autocode'];
  const marks = [
    { by: 'ann', label: 'Autocode' },
    { by: 'bob', label: 'bug' },
    { by: 'cid', assignee: 'robot' },
    { by: 'dan', assignee: undefined }, // of a user who is gone
    { by: 'eve' },
  ];
  assert.equal(whoMarked(marks, { labels, assignee: null }), 'ann');
  assert.equal(whoMarked(marks, { labels, assignee: 'Robot' }), 'cid');
  assert.equal(whoMarked(marks, { labels: [], assignee: null }), undefined);
});
