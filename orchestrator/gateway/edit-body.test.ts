import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editBody } from './edit-body.ts';

const edited = (text: string, changes: Record<string, unknown>) =>
  Buffer.concat([editBody(Buffer.from(text), changes)].flat()).toString();

test('a member is replaced where it stands, and nothing else changes', () => {
  const before =
    ' {"a": 12345678901234567890, "model" : "x" , "n":{"model":"inner"},"l":[{"model":1}], "s":"\\"model\\":\\"y\\"" }\n';
  assert.equal(edited(before, { model: 'new' }), before.replace('"x"', '"new"'));
});

test('a missing member is added, in an empty object too', () => {
  assert.equal(edited('{"a":1}', { model: 'm' }), '{"model":"m","a":1}');
  assert.equal(edited('{ }', { model: 'm' }), '{"model":"m" }');
});

test('a name that stands twice or is written with escapes is replaced', () => {
  assert.equal(edited('{"model":"a","mod\\u0065l":"b"}', { model: 'c' }), '{"model":"c","mod\\u0065l":"c"}');
});

test('a large rest is not copied', () => {
  const body = Buffer.from(JSON.stringify({ model: 'x', messages: ['m'.repeat(100_000)] }));
  const parts = editBody(body, { model: 'new' }) as Uint8Array[];
  assert.equal(Buffer.concat(parts).toString(), body.toString().replace('"x"', '"new"'));
  assert.equal(parts.at(-1)?.buffer, body.buffer);
});

test('what any JSON writer wrote reads as the same object with the changes', () => {
  const changes = { model: 'x', stream_options: { include_usage: true } };
  fc.assert(
    fc.property(
      fc.dictionary(fc.oneof(fc.string(), fc.constant('model')), fc.jsonValue()),
      fc.nat(3),
      (body, indent) => {
        assert.deepEqual(
          JSON.parse(edited(JSON.stringify(body, null, indent), changes)),
          JSON.parse(JSON.stringify({ ...body, ...changes })),
        );
      },
    ),
  );
});
