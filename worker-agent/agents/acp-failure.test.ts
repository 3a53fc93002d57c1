import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '@agentclientprotocol/sdk';
import { failureText, isBudgetRefusal } from './acp-failure.ts';

// What the agents answer when the gateway refuses a call with 402, as they were seen to.
const REFUSALS: [agent: string, error: RequestError, text: string][] = [
  [
    'qwen-coder',
    new RequestError(-32603, 'Internal error', {
      details: '402 {"error":{"message":"the budget is spent"}}',
    }),
    '402 the budget is spent',
  ],
  [
    'claude-code',
    new RequestError(-32603, 'Internal error: API Error: 402 the budget is spent', { errorKind: 'unknown' }),
    'API Error: 402 the budget is spent',
  ],
  [
    'codex',
    new RequestError(-32603, 'Internal error', {
      message:
        'unexpected status 402 Payment Required: the budget is spent, url: http://127.0.0.1:4010/v1/responses',
      codex_error_info: 'other',
    }),
    'unexpected status 402 Payment Required: the budget is spent, url: http://127.0.0.1:4010/v1/responses',
  ],
];

for (const [agent, error, text] of REFUSALS) {
  test(`a refusal for want of budget is read from what ${agent} says`, () => {
    assert.equal(failureText(error), text);
    assert.ok(isBudgetRefusal(text));
  });
}

test('other failures are no refusals for want of budget', () => {
  for (const text of [
    'API Error: 500 boom',
    'there were 402 lines',
    'unexpected status 429 Too Many Requests',
  ])
    assert.equal(isBudgetRefusal(text), false, text);
});

test('an error without words of its own is told by its code', () => {
  assert.equal(failureText(new RequestError(-32603, 'Internal error')), 'Internal error (-32603)');
});
