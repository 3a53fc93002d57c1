import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireRules } from './parse.ts';
import { rehearse } from './rehearse.ts';

const policy = (...rules: string[]) => ({
  version: '1-0',
  rules: requireRules(rules.join('\n'), new Map()),
  recording: { shop: 9e9 },
});
const made = (url: string | null, method = 'GET', more: object = {}) => ({
  method,
  url,
  project: 'shop',
  kind: 'change',
  address: null,
  ...more,
});

test('what runs asked for is told where two policies decide differently, the most frequent first', () => {
  const records = [
    made('https://a.example/x?page=1'),
    made('https://b.example/y'),
    made('https://b.example/y?page=2'),
    made('https://c.example/z'),
    made('https://d.example/', 'POST'),
    made('https://a.example/x', 'GET', { project: 'other' }),
    made('https://a.example/x', 'GET', { address: '10.0.0.1' }), // stays refused: it leads inside
    made('https://a.example/%zz'),
    made('https://[redacted]'),
    made(null, 'CONNECT'),
  ];
  const before = policy('allow method=POST host=d.example', 'allow host=c.example');
  const after = policy(
    'allow host=a.example project=shop',
    'allow host=b.example',
    'allow host=c.example',
    'deny host=d.example',
  );
  assert.deepEqual(rehearse(records, before, after), {
    requests: 9,
    allowed: {
      requests: 3,
      most: [
        { what: 'GET https://b.example/y', requests: 2 },
        { what: 'GET https://a.example/x', requests: 1 },
      ],
    },
    refused: { requests: 1, most: [{ what: 'POST https://d.example/', requests: 1 }] },
  });
  assert.deepEqual(rehearse(records, before, before).allowed, { requests: 0, most: [] });
});

test('names that go through without being looked into count as let out', () => {
  const { allowed } = rehearse([made('https://a.example/x')], policy(), policy('pass host=a.example'));
  assert.deepEqual(allowed.most, [{ what: 'GET https://a.example/x', requests: 1 }]);
});
