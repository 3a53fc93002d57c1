import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propose } from './learn.ts';
import { requireRules } from './parse.ts';

const effective = (...rules: string[]) => ({
  version: '1-0',
  rules: requireRules(rules.join('\n'), new Map()),
  recording: { shop: 9e9 },
});
const refused = (url: string, method = 'GET', reason = 'no-rule') => ({
  method,
  url,
  decision: 'denied' as const,
  reason,
  kind: 'change',
  run: '1-1',
});
const learnt = (records: ReturnType<typeof refused>[], ...rules: string[]) =>
  propose(records, effective(...rules), 'shop').rules.map(({ rule }) => rule);

test('what was refused and what record mode let through is proposed, once, the most frequent first', () => {
  const recorded = {
    ...refused('https://b.example/y', 'POST'),
    decision: 'allowed' as const,
    reason: 'recording',
  };
  const records = [refused('https://a.example/x?token=1'), recorded, { ...recorded, run: '2-1' }];
  assert.deepEqual(propose(records, effective(), 'shop'), {
    rules: [
      {
        rule: 'allow method=POST host=b.example path=/y',
        requests: 2,
        runs: 2,
        example: 'https://b.example/y',
      },
      {
        rule: 'allow method=GET,HEAD host=a.example path=/x',
        requests: 1,
        runs: 1,
        example: 'https://a.example/x',
      },
    ],
    skipped: [],
  });
});

test('ids in paths become wildcards', () => {
  const ids = [
    '17',
    'v1.2.3',
    '4.17.21-beta',
    '6f1e0a52-44a1-4f0e-9a3b-2b1c0d9e8f70',
    'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    'abc1234',
    'sha256:0a1b2c',
    'bot[redacted]',
    'AbCdEfGhIjKlMnOpQrSt1',
  ];
  for (const id of ids)
    assert.deepEqual(
      learnt([refused(`https://a.example/items/${id}/files`)]),
      ['allow method=GET,HEAD host=a.example path=/items/*/files'],
      id,
    );
  for (const word of ['items', 'deadbeef', 'v', 'some-long-name-of-a-package', '@scope', 'x86_64'])
    assert.deepEqual(learnt([refused(`https://a.example/${word}`)]), [
      `allow method=GET,HEAD host=a.example path=/${word}`,
    ]);
});

test('more than eight paths of a host are cut short; what writes keeps at least its first segment', () => {
  const many = (method: string, prefix: string) =>
    Array.from({ length: 9 }, (_, at) => refused(`https://a.example${prefix}/${'abcdefghi'[at]}`, method));
  assert.deepEqual(learnt(many('GET', '/pkg')), ['allow method=GET,HEAD host=a.example path=/pkg/**']);
  assert.deepEqual(learnt(many('GET', '')), ['allow method=GET,HEAD host=a.example']);
  assert.equal(learnt(many('POST', '')).length, 9);
  assert.deepEqual(learnt(many('POST', '/pkg')), ['allow method=POST host=a.example path=/pkg/**']);
});

test('what a rule allows by now needs none, and every proposal allows what it was made from', () => {
  assert.deepEqual(learnt([refused('https://a.example/x')], 'allow host=a.example'), []);
  const records = [
    'https://a.example/17/x',
    'http://b.example:8080/',
    'https://c.example/a//b',
    'https://d.example/a;x/b',
  ];
  const rules = learnt(records.map((url) => refused(url)));
  assert.equal(rules.length, 4);
  assert.deepEqual(
    learnt(
      records.map((url) => refused(url)),
      ...rules,
    ),
    [],
  );
});

test('for what no rule should allow none is proposed, and it says why', () => {
  const records = [
    refused('https://a.example/', 'GET', 'private-address'),
    refused('https://a.example/../x', 'GET', 'malformed'),
    refused('https://10.0.0.5/'),
    refused('https://b.example/', 'GET', 'rule'),
    refused('https://c.example/', 'CONNECT'),
  ];
  const { rules, skipped } = propose(records, effective('deny host=b.example'), 'shop');
  assert.deepEqual(rules, []);
  assert.deepEqual(
    skipped.map(({ what, why }) => `${what}: ${why}`),
    [
      'GET https://a.example/: its address is not public: name it with address=',
      'GET https://a.example/../x: no rule allows what is malformed',
      'GET https://10.0.0.5/: it names an address instead of a host: allow it by hand',
      'GET https://b.example/: deny host=b.example denies it',
    ],
  );
});
