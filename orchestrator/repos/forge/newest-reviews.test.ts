import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newestReviews, type GivenReview } from './newest-reviews.ts';

const APPROVED: GivenReview = { by: 'ann', says: 'approved', stale: false };
const ASKS: GivenReview = { ...APPROVED, says: 'changes-requested' };
const COMMENT: GivenReview = { ...APPROVED, says: 'commented' };
const DISMISSED: GivenReview = { ...APPROVED, says: 'dismissed' };

test('of several reviews of a person the newest counts, and a comment takes back no other', () => {
  const table: [GivenReview[], string | undefined][] = [
    [[], undefined],
    [[COMMENT], 'commented'],
    [[COMMENT, APPROVED], 'approved'],
    [[APPROVED, COMMENT], 'approved'],
    [[APPROVED, ASKS], 'changes-requested'],
    [[ASKS, COMMENT, APPROVED], 'approved'],
    [[APPROVED, DISMISSED], undefined],
    [[APPROVED, DISMISSED, COMMENT], 'commented'],
    [[{ ...ASKS, by: 'Ann' }, APPROVED], 'approved'],
  ];
  for (const [given, says] of table) {
    const [review, ...others] = newestReviews(given, { author: 'bot', askedAgain: [] });
    assert.deepEqual([review?.says, others], [says, []], JSON.stringify(given));
  }
});

test('neither the author nor whoever was asked again has said anything', () => {
  const given = [APPROVED, { ...ASKS, by: 'Bot' }, { ...APPROVED, by: 'ben', stale: true }];
  assert.deepEqual(newestReviews(given, { author: 'bot', askedAgain: ['ANN'] }), [
    { by: 'ben', says: 'approved', stale: true },
  ]);
});
