import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitsOf, inPrecision } from './precision.ts';
import { shippedModel } from './testing/models.ts';

const { facts } = shippedModel('qwen2.5-coder-32b');
assert.ok('shape' in facts);
const { shape } = facts;
const gb = (precision: string) => Math.round(inPrecision(shape, precision).weightsBytes / 1e8) / 10;

test('the weights of a 32B model in each precision are as large as published ones', () => {
  assert.deepEqual([gb('bfloat16'), gb('fp8'), gb('int4'), gb('float32')], [65.5, 34.3, 19.7, 131.1]);
});

test('what was quantised no longer is, and the other way round', () => {
  assert.equal(inPrecision(shape, 'bfloat16').quantisation, undefined);
  assert.equal(inPrecision(inPrecision(shape, 'bfloat16'), 'int4').quantisation, 'int4');
});

test('the bits of a weight are told, also where the number of parameters is not', () => {
  assert.equal(bitsOf(inPrecision(shape, 'bfloat16')), 16);
  assert.ok(bitsOf(shape) < 5);
  const { parameters: _, ...untold } = inPrecision(shape, 'bfloat16');
  assert.equal(bitsOf(untold), 16);
});

test('a precision that nobody knows is refused with those that are', () => {
  assert.throws(() => inPrecision(shape, 'int3'), /There is no precision "int3"/);
  assert.throws(() => inPrecision(shape, 'toString'), /There is no precision/);
});
