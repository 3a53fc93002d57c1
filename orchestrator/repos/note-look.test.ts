import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Review } from '../../protocol/change.ts';
import { testDatabase } from '../../test/support/database.ts';
import { getChange, listChanges } from './changes.ts';
import { refreshChange } from './merge.ts';
import { noteLook, reviewState, startLook, type Look } from './note-look.ts';
import { submitRun } from './submit.ts';
import { depsOf } from './testing/submission.ts';
import { leasedRun, verify, workshop } from './testing/workshop.ts';

const by = (name: string, says: Review['says'], stale = false): Review => ({ by: name, says, stale });

test('who asks for changes outweighs approvals, and what was said of an earlier version does not count', () => {
  const table: [Review[], string][] = [
    [[], 'none'],
    [[by('ann', 'commented')], 'commented'],
    [[by('ann', 'approved'), by('ben', 'commented')], 'approved'],
    [[by('ann', 'approved'), by('ben', 'changes-requested')], 'changes-requested'],
    [[by('ann', 'approved'), by('ben', 'changes-requested', true)], 'approved'],
    [[by('ann', 'approved', true)], 'none'],
  ];
  for (const [reviews, state] of table) assert.equal(reviewState(reviews), state, JSON.stringify(reviews));
});

test('what is seen of a change is kept, told once, and not undone by a look that comes late', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const deps = depsOf(db.pool, shop);
  const { run } = await leasedRun(db.pool, { origin: shop.bare('b.git') });
  await verify(db.pool, shop, run, { 'README.md': 'ours\n' });
  await submitRun(deps, run);
  const change = (await listChanges(db.pool))[0]!;
  const told = async () =>
    (
      await db.pool.query<{ kind: string; data: Record<string, unknown> }>(
        `select kind, data - 'change' as data from event where kind in ('change.reviewed', 'change.mergeable', 'change.moved') order by id`,
      )
    ).rows.map(({ kind, data }) => [kind.slice('change.'.length), ...Object.values(data)].join(' '));
  const see = async (look: Partial<Look>, number?: string) =>
    await noteLook(db.pool, change, {
      head: change.headCommit,
      reviews: [],
      mergeable: 'yes',
      mergeReason: null,
      draft: false,
      ...look,
      look: number ?? (await startLook(db.pool)),
    });
  const late = await startLook(db.pool);
  const reviews = [by('ann', 'approved'), by('ben', 'changes-requested')];
  await see({ reviews });
  await see({ reviews });
  await see({ reviews: [] }, late);
  await see({ reviews: [by('ann', 'approved')], mergeable: 'unknown' });
  const seen = await getChange(db.pool, change.id);
  assert.deepEqual([seen.review, seen.reviews, seen.mergeable], ['approved', [by('ann', 'approved')], 'yes']);
  assert.equal((await listChanges(db.pool, { review: 'approved', mergeable: 'yes' })).length, 1);
  assert.equal((await listChanges(db.pool, { review: 'changes-requested' })).length, 0);
  const events = await told();
  assert.deepEqual(
    events.filter((each) => each.startsWith('reviewed')),
    ['reviewed ann approved', 'reviewed ben changes-requested', 'reviewed ben none'],
  );
  assert.equal(events.filter((each) => each.startsWith('mergeable')).length, 1);

  // Its base moves: the look at the repository itself finds the conflict.
  shop.git('.', 'clone', '--quiet', 'b.git', 'clone');
  shop.write('clone', { 'README.md': 'theirs\n' });
  shop.git('clone', 'commit', '--quiet', '--all', '--message', 'theirs');
  shop.git('clone', 'push', '--quiet', 'origin', 'HEAD:main');
  await refreshChange(deps, change.id);
  const after = await getChange(db.pool, change.id);
  assert.deepEqual([after.mergeable, after.mergeReason], ['conflicts', 'README.md']);
  assert.match((await told()).at(-1)!, /^mergeable .*conflicts/);
  const { rows } = await db.pool.query(
    `select data ->> 'was' as was from event where kind = 'change.mergeable' order by id`,
  );
  assert.deepEqual(rows, [{ was: 'unknown' }, { was: 'yes' }]);
});
