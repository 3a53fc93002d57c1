import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerCache, answerKey } from './answer-cache.ts';

const answer = (bytes: number) => ({ head: {}, body: Buffer.alloc(bytes) });

test('what was used longest ago goes when there is no room left', () => {
  const cache = answerCache(100);
  cache.put('a', answer(40));
  cache.put('b', answer(40));
  cache.get('a');
  cache.put('c', answer(40));
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => cache.get(key) !== undefined),
    [true, false, true],
  );
  cache.put('a', answer(10));
  cache.put('d', answer(50));
  assert.ok(cache.get('c') !== undefined);
  cache.put('huge', answer(101));
  assert.equal(cache.get('huge'), undefined);
});

test('another model, another project or another byte is another request', () => {
  const keys = [
    answerKey(['1', 'a'], Buffer.from('x')),
    answerKey(['2', 'a'], Buffer.from('x')),
    answerKey(['1', 'b'], Buffer.from('x')),
    answerKey(['1', 'a'], Buffer.from('y')),
  ];
  assert.equal(new Set(keys).size, 4);
  assert.equal(answerKey(['1', 'a'], Buffer.from('x')), keys[0]);
});
