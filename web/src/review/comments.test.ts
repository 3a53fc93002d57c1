import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from './comments.ts';

test('comments become one message, with file, line and the line itself', () => {
  const change = { id: 7, branch: 'autocode/3-x', repository: 'shop' };
  const comment = (path: string, line: number, text: string, side: 'old' | 'new' = 'new') => ({
    path,
    line,
    side,
    quote: `code ${line}`,
    text,
  });
  assert.equal(
    messageOf(
      change,
      [comment('b', 2, 'why? '), comment('a', 10, 'rename'), comment('a', 9, 'keep', 'old')],
      '',
    ),
    [
      'Review of change 7 (autocode/3-x in shop).',
      'a, line 9 before the change:\n> code 9\nkeep',
      'a, line 10:\n> code 10\nrename',
      'b, line 2:\n> code 2\nwhy?',
    ].join('\n\n'),
  );
  assert.equal(
    messageOf(change, [], ' more tests '),
    'Review of change 7 (autocode/3-x in shop).\n\nmore tests',
  );
});
