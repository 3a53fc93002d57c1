import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partsOf } from './fences.ts';

test('code in fences and headings are set apart; a fence ends with one that is as long', () => {
  assert.deepEqual(partsOf('## Asked\n\nDo it:\n````md\n```\n# code\n```\n````\nand ~~~\n~~~\nopen'), [
    { kind: 'heading', text: 'Asked' },
    { kind: 'text', text: 'Do it:' },
    { kind: 'code', text: '```\n# code\n```' },
    { kind: 'text', text: 'and ~~~' },
    { kind: 'code', text: 'open' },
  ]);
  assert.deepEqual(partsOf(''), []);
});

test('an answer in JSON is code, in lines', () => {
  assert.deepEqual(partsOf('{"steps":["Look"]}'), [
    { kind: 'code', text: '{\n  "steps": [\n    "Look"\n  ]\n}' },
  ]);
  assert.deepEqual(partsOf('{"steps":'), [{ kind: 'text', text: '{"steps":' }]);
});
