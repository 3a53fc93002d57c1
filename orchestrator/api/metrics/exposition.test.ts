import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exposition } from './exposition.ts';

test('a metric is written with its help, its type and a line for each sample', () => {
  const text = exposition([
    {
      name: 'autocode_things',
      type: 'gauge',
      help: 'Things\nin a "box" \\ bag.',
      samples: [
        [{}, 1],
        [{ kind: 'a "b"\\c\nd', size: 2 }, 0.25],
        [{ kind: 'unknown' }, null],
        [{ kind: 'endless' }, Infinity],
      ],
    },
    { name: 'autocode_none', type: 'counter', help: 'None.', samples: [] },
  ]);
  assert.equal(
    text,
    [
      '# HELP autocode_things Things\\nin a "box" \\\\ bag.',
      '# TYPE autocode_things gauge',
      'autocode_things 1',
      'autocode_things{kind="a \\"b\\"\\\\c\\nd",size="2"} 0.25',
      'autocode_things{kind="endless"} +Inf',
      '',
    ].join('\n'),
  );
});
