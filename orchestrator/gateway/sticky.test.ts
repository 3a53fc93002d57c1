import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rung } from './ladder.ts';
import { stickyRungs } from './sticky.ts';

const rung = (name: string) => ({ model: { name } }) as Rung;
const [A, B] = [rung('a'), rung('b')] as [Rung, Rung];

test('the model that served a run last comes first for five minutes, with why; others go by the ladder', () => {
  let now = 0;
  const sticky = stickyRungs(() => now);
  assert.deepEqual(sticky.order('run', [A, B]), { rungs: [A, B], kept: null });
  sticky.served('run', B, 'a answered 503');
  assert.deepEqual(sticky.order('run', [A, B]), { rungs: [B, A], kept: 'still, since a answered 503' });
  assert.deepEqual(sticky.order('other', [A, B]).rungs, [A, B]);
  now += 299_999;
  sticky.served('run', B, 'still, since a answered 503');
  now += 299_999;
  assert.equal(sticky.order('run', [A, B]).kept, 'still, since a answered 503');
  now += 2;
  assert.deepEqual(sticky.order('run', [A, B]).rungs, [A, B]);
});

test('a run that is back at the preferred model, or may no longer use the other, goes by the ladder', () => {
  const sticky = stickyRungs(() => 0);
  sticky.served('run', B, 'a answered 503');
  assert.deepEqual(sticky.order('run', [A]), { rungs: [A], kept: null });
  sticky.served('run', A, null);
  assert.deepEqual(sticky.order('run', [A, B]), { rungs: [A, B], kept: null });
});
