import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultsOf, labelOf, linesOf, listOf, present, shapeOf, type JsonSchema } from './schema.ts';

test('a field is made by what its value may be', () => {
  const shapes: [JsonSchema, string][] = [
    [{ type: 'string' }, 'text'],
    [{ type: 'string', enum: ['a'] }, 'choice'],
    [{ type: 'boolean' }, 'switch'],
    [{ type: 'integer' }, 'number'],
    [{ type: 'array', items: { type: ['string', 'number'] } }, 'lines'],
    [{ type: 'array', items: { type: 'object', properties: {} } }, 'groups'],
    [{ type: 'object', properties: {} }, 'group'],
    [{ type: 'object', additionalProperties: { type: 'string' } }, 'pairs'],
  ];
  for (const [schema, shape] of shapes) assert.equal(shapeOf(schema), shape);
});

test('what may be null keeps its words', () => {
  const schema = {
    description: 'How often.',
    default: 60,
    anyOf: [{ type: 'integer', minimum: 2 }, { type: 'null' }],
  };
  assert.deepEqual(present(schema), {
    schema: { description: 'How often.', default: 60, type: 'integer', minimum: 2 },
    nullable: true,
  });
  assert.equal(present({ anyOf: [{ type: 'string' }, { type: 'number' }] }).nullable, false);
});

test('a value begins as its schema says, and names are read as words', () => {
  const properties = { title: { type: 'string' }, labels: { type: 'array', default: ['a'] } };
  assert.deepEqual(defaultsOf({ type: 'object', properties }), { labels: ['a'] });
  assert.equal(labelOf('pollSeconds', {}), 'Poll seconds');
  assert.equal(labelOf('url', { title: 'Address' }), 'Address');
});

test('a list comes back as it was from its lines', () => {
  const mixed = { type: 'array', items: { type: ['string', 'number', 'boolean'] } };
  const list = ['bugs', 12, true, '12', 'a "b"'];
  assert.equal(linesOf(list, mixed), 'bugs\n12\ntrue\n"12"\na "b"');
  assert.deepEqual(listOf(linesOf(list, mixed), mixed), list);
  const texts = { type: 'array', items: { type: 'string' } };
  assert.deepEqual(listOf(' 12 \n\n x', texts), ['12', 'x']);
  assert.equal(linesOf(['12'], texts), '12');
  assert.equal(linesOf(undefined, texts), '');
});
