import assert from 'node:assert/strict';
import { test } from 'node:test';
import { offsetOf, presetsIn, problemsIn, withLines, withPreset } from './policy-text.ts';

test('lines are added once, at the end', () => {
  assert.equal(withLines('', ['allow host=a']), 'allow host=a\n');
  assert.equal(withLines('# ours', ['allow host=a', 'deny host=b']), '# ours\nallow host=a\ndeny host=b\n');
  assert.equal(withLines('  allow host=a\n', ['allow host=a']), '  allow host=a\n');
});

test('presets are ticked and unticked, with what stands around them left alone', () => {
  const text = '# ours\n preset npm # packages\nallow host=preset\npreset pypi\n';
  assert.deepEqual([...presetsIn(text)], ['npm', 'pypi']);
  assert.equal(withPreset(text, 'npm', false), '# ours\nallow host=preset\npreset pypi\n');
  assert.equal(withPreset(text, 'npm', true), text);
  assert.equal(withPreset('', 'go', true), 'preset go\n');
});

test('mistakes are found in their place', () => {
  const problem = { line: 2, column: 3, message: '', remedy: '' };
  assert.deepEqual(problemsIn({ problems: [problem] }), [problem]);
  assert.equal(problemsIn(undefined), undefined);
  assert.equal(offsetOf('ab\ncdef', 2, 3), 5);
  assert.equal(offsetOf('ab', 9, 9), 2);
});
