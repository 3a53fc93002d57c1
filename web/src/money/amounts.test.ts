import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UsageReport } from '../../../protocol/budget.ts';
import { amount, csvOf } from './amounts.ts';

const ROW = {
  calls: 2,
  inputTokens: 10,
  cachedTokens: 4,
  outputTokens: 3,
  reasoningTokens: 0,
  money: 1_500_000,
  platformMoney: 0,
  gpu: 1_800_000,
};

test('an amount is written in what people count it in', () => {
  assert.equal(amount(1_500_000, 'money', 'EUR'), '1.50 EUR');
  assert.equal(amount(12_000, 'tokens', 'EUR'), '12K tokens');
  assert.equal(amount(5_400_000, 'gpu', 'EUR'), '1.5 GPU hours');
});

test('a report is CSV whose names are no formulas', () => {
  const rows = [
    { ...ROW, key: 'shop' },
    { ...ROW, key: '=1+1,"x"' },
  ];
  const report = { by: 'project', currency: 'EUR', rows } as UsageReport;
  assert.equal(
    csvOf(report),
    'project,calls,input tokens,cached tokens,output tokens,money EUR,GPU hours\r\n' +
      '"shop",2,10,4,3,1.5,0.5\r\n' +
      '"\'=1+1,""x""",2,10,4,3,1.5,0.5\r\n',
  );
});
