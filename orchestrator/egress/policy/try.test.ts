import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireRules } from './parse.ts';
import { tryRequest } from './try.ts';

const rules = requireRules(
  [
    'allow method=GET,HEAD host=web.example',
    'allow host=intra.example address=10.1.2.3',
    'allow host=10.0.0.5',
    'deny host=bad.example',
  ].join('\n'),
  new Map(),
);
const effective = { version: '7-0a1b2c3d', rules, recording: { shop: 100 } };

test('a URL is tried as it stands, wherever its name may lead', () => {
  const cases: [
    url: string,
    decision: string,
    reason: string,
    more?: { address?: string; project?: string },
  ][] = [
    ['https://web.example/x?y', 'allow', 'rule'],
    ['HTTP://web.example', 'allow', 'rule'],
    ['https://web.example:8443/', 'deny', 'no-rule'],
    ['https://web.example/', 'deny', 'private-address', { address: '10.0.0.1' }],
    ['https://intra.example/', 'allow', 'rule'],
    ['https://intra.example/', 'deny', 'private-address', { address: '1.1.1.1' }],
    ['https://10.0.0.5/', 'allow', 'rule'],
    ['https://[::ffff:10.0.0.5]/', 'allow', 'rule'],
    ['https://0x0a.0.0.5/', 'deny', 'malformed'],
    ['https://web.example@bad.example/', 'deny', 'malformed'],
    ['https://web.example/a/../b', 'deny', 'malformed'],
    ['https://web.example\\x', 'deny', 'malformed'],
    ['https://web.example?x', 'allow', 'rule'],
    ['https://bad.example', 'deny', 'rule', { project: 'shop' }],
    ['https://else.example', 'allow', 'recording', { project: 'shop' }],
    ['https://else.example', 'deny', 'no-rule', { project: 'blog' }],
  ];
  for (const [url, decision, reason, more = {}] of cases) {
    const verdict = tryRequest(effective, { url, method: 'GET', ...more }, 99);
    assert.deepEqual([verdict.decision, verdict.reason], [decision, reason], url);
    assert.equal(verdict.policy, '7-0a1b2c3d');
  }
});

test('what is no address of the web is told', () => {
  for (const url of ['web.example', 'ftp://web.example', ''])
    assert.throws(() => tryRequest(effective, { url, method: 'GET' }), { code: 'ERR_INVALID_INPUT' });
});
