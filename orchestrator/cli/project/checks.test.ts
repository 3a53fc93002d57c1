import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checksOf, drawChecksSetting } from './checks.ts';

test('levels are set, patterns join those that are there, and an empty one empties the list', () => {
  const now = { rules: {}, allow: { lockfiles: ['a'], size: ['b'] } };
  const args = {
    check: ['size=warn', 'secrets=off'],
    allow: ['lockfiles=docs/**', 'lockfiles=a=b', 'size='],
  };
  assert.deepEqual(checksOf(args, now), {
    rules: { size: 'warn', secrets: 'off' },
    allow: { lockfiles: ['a', 'docs/**', 'a=b'], size: [] },
  });
  assert.equal(checksOf({ check: undefined, allow: undefined }), undefined);
});

test('a rule or level that is not known is told with those that are', () => {
  const refused = (check: string, remedy: RegExp) =>
    assert.throws(
      () => checksOf({ check: [check], allow: undefined }),
      (error: Error & { remedy?: string }) => remedy.test(error.remedy ?? ''),
    );
  refused('workflow=warn', /workflow-files/);
  refused('size=loud', /refuse, warn, off/);
  refused('size', /--check size=/);
});

test('the rules are shown by what they do, with the paths they let pass', () => {
  const shown = drawChecksSetting({ rules: { size: 'off' }, allow: { secrets: ['test/**'], size: [] } });
  assert.match(
    shown,
    /^refuse: outside-target, .*\nwarn: lockfiles, .*\noff: size\nsecrets allows test\/\*\*$/,
  );
});
