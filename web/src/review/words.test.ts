import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../../protocol/change.ts';
import { obstacleOf, reviewOf, stateOf } from './words.ts';

const OPEN = {
  state: 'open',
  forgeHead: null,
  trouble: null,
  stuck: null,
  review: 'none',
  mergeable: 'yes',
  mergeReason: null,
  draft: false,
  baseBranch: 'main',
} as unknown as Change;

test('what stands in the way of a merge is told before what people say', () => {
  const table: [Partial<Change>, string][] = [
    [{}, 'open'],
    [{ draft: true }, 'draft'],
    [{ review: 'commented' }, 'commented'],
    [{ review: 'approved', draft: true }, 'approved'],
    [{ review: 'changes-requested' }, 'changes requested'],
    [{ review: 'approved', mergeable: 'conflicts' }, 'conflicts'],
    [{ review: 'approved', trouble: 'away' }, 'open, forge away'],
    [{ review: 'approved', state: 'merged' }, 'merged'],
  ];
  for (const [more, text] of table) assert.equal(stateOf({ ...OPEN, ...more }).text, text);
});

test('it is said why a change cannot be merged, and who said what of which version', () => {
  assert.equal(obstacleOf(OPEN), null);
  assert.equal(obstacleOf({ ...OPEN, mergeable: 'unknown' }), null);
  const conflict = { ...OPEN, mergeable: 'conflicts', mergeReason: 'a.txt' } as const;
  assert.equal(obstacleOf(conflict), 'It conflicts with main in a.txt.');
  const stuck = 'It conflicts with change 3 in a.txt.';
  assert.equal(obstacleOf({ ...conflict, stuck }), stuck);
  assert.match(
    obstacleOf({ ...OPEN, mergeable: 'blocked', mergeReason: 'approvals are missing' })!,
    /approvals/,
  );
  assert.equal(reviewOf({ by: 'ann', says: 'approved', stale: false }), 'ann approved');
  assert.equal(
    reviewOf({ by: 'ben', says: 'changes-requested', stale: true }),
    'ben asked for changes in an earlier version',
  );
});
