import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redact } from './redact.ts';

// In pieces, so that nobody's search finds them here.
const GITHUB = `gh${'p_'}wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx`;
const AWS = `wJalrXUtnFEMI${'/K7MDENG/bPxRfiCYzXwVuTsRq'}P`;
const OWN = `ac_${'gateway'}_${'x'.repeat(43)}`;
const PEM = [
  '-----BEGIN RSA',
  ` PRIVATE KEY-----\n${`${'MIIEpAIBAAKCAQEA'.repeat(4)}\n`.repeat(12)}-----END RSA`,
  ' PRIVATE KEY-----',
].join('');

const secrets: [string, unknown, string][] = [
  ['in a message', { messages: [{ role: 'user', content: `use ${GITHUB} please` }] }, GITHUB],
  [
    'of AWS in a file that was read',
    { content: [{ text: `A=1\nAWS_SECRET_ACCESS_KEY="${AWS}"\nB=2` }] },
    AWS,
  ],
  [
    'in the arguments of a tool call',
    { arguments: JSON.stringify({ command: `export AWS_SECRET_ACCESS_KEY="${AWS}"` }) },
    AWS,
  ],
  ['over several lines', [{ text: `before\n${PEM}\nafter` }], 'MIIEpAIBAAKCAQEA'],
  ['of this product', { text: `Bearer ${OWN}` }, OWN],
  ['as the name of a member', { [GITHUB]: 1 }, GITHUB],
];

for (const [where, value, secret] of secrets) {
  test(`a secret ${where} is taken out`, async () => {
    const clean = await redact(value);
    // Not a part of it either.
    for (let at = 0; at + 12 <= secret.length; at++)
      assert.ok(!JSON.stringify(clean).includes(secret.slice(at, at + 12)), JSON.stringify(clean));
    assert.match(JSON.stringify(clean.value), /\[redacted /);
    assert.ok(clean.redacted >= 1);
  });
}

test('a secret is taken out wherever else it stands', async () => {
  const { value, redacted } = await redact([
    { a: `AWS_SECRET_ACCESS_KEY="${AWS}"` },
    { b: `it was ${AWS}, twice ${AWS}` },
  ]);
  assert.ok(!JSON.stringify(value).includes(AWS.slice(20)));
  assert.equal(redacted, 3);
});

test('what is no secret stays as it is, to the letter', async () => {
  const value = {
    model: 'small',
    n: 1,
    nothing: null,
    stream: true,
    messages: [
      { role: 'user', content: 'password = read()' },
      { arguments: '{ "a" : [1, 2] }' },
      { text: '[x' },
    ],
  };
  assert.deepEqual(await redact(value), { value, redacted: 0 });
  const { value: changed } = await redact({ ...value, token: GITHUB });
  assert.deepEqual({ ...changed, token: undefined }, { ...value, token: undefined });
});

test('secrets that are kept are taken out by their values, in every text and in JSON inside a text', async () => {
  const live = [{ name: 'payments/card', value: 'plain words, no shape' }];
  const value = { say: `it is ${live[0]!.value}!`, call: JSON.stringify({ arguments: live[0]!.value }) };
  assert.deepEqual(await redact(value, live), {
    value: {
      say: 'it is [redacted secret: payments/card]!',
      call: JSON.stringify({ arguments: '[redacted secret: payments/card]' }),
    },
    redacted: 2,
  });
});
