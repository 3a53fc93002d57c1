// Amounts as people write them are exact, and what is none is refused with how to write it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amountText, ownerText, parseGpuTime, parseMoney, parseOwner, parseTokens } from './amount.ts';

test('money, tokens and time are read exactly', () => {
  assert.deepEqual(
    ['25', '25.5', '0.000001', '999999999.999999'].map(parseMoney),
    [25_000_000, 25_500_000, 1, 999_999_999_999_999],
  );
  assert.deepEqual(
    ['900', '250k', '40M', '1.5G'].map(parseTokens),
    [900, 250_000, 40_000_000, 1_500_000_000],
  );
  assert.deepEqual(['90s', '30m', '8h'].map(parseGpuTime), [90_000, 1_800_000, 28_800_000]);
  for (const text of ['', '-1', '1,5', '1e9', '25 EUR', '0.0000001'])
    assert.throws(() => parseMoney(text), /write it as/, text);
  for (const text of ['1 M', '1m', 'M']) assert.throws(() => parseTokens(text), /write it as/, text);
  for (const text of ['8', '8d', 'h']) assert.throws(() => parseGpuTime(text), /write it as/, text);
});

test('owners are read and written alike', () => {
  for (const text of ['appliance', 'project:shop', 'run:*', 'person:a:b']) {
    assert.equal(ownerText(parseOwner(text)), text);
  }
  for (const text of ['project', 'shop', 'appliance:x', 'project:', ':x'])
    assert.throws(() => parseOwner(text), /names nobody/, text);
});

test('amounts are shown with the minor units of their currency', () => {
  assert.equal(amountText('money', 1_234_500_000, 'EUR'), '1234.50 EUR');
  assert.equal(amountText('money', 1_234_000_000, 'JPY'), '1234 JPY');
  assert.equal(amountText('tokens', 40_000_000, 'EUR'), '40.0M tokens');
  assert.equal(amountText('gpu', 28_800_000, 'EUR'), '8.0 GPU h');
});
