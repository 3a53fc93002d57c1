import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactor } from './redactor.ts';

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
  test(`a secret ${where} is taken out`, () => {
    const clean = redactor([]).json(value);
    // Not a part of it either.
    for (let at = 0; at + 12 <= secret.length; at++)
      assert.ok(!JSON.stringify(clean).includes(secret.slice(at, at + 12)), JSON.stringify(clean));
    assert.match(JSON.stringify(clean.value), /\[redacted /);
    assert.ok(clean.redacted >= 1);
  });
}

test('a secret is taken out wherever else it stands', () => {
  const { value, redacted } = redactor([]).json([
    { a: `AWS_SECRET_ACCESS_KEY="${AWS}"` },
    { b: `it was ${AWS}, twice ${AWS}` },
  ]);
  assert.ok(!JSON.stringify(value).includes(AWS.slice(20)));
  assert.equal(redacted, 3);
});

test('what is no secret stays as it is, to the letter', () => {
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
  assert.deepEqual(redactor([]).json(value), { value, redacted: 0 });
  const { value: changed } = redactor([]).json({ ...value, token: GITHUB });
  assert.deepEqual({ ...changed, token: undefined }, { ...value, token: undefined });
});

test('secrets that are kept are taken out by their values, in every text and in JSON inside a text', () => {
  const live = [{ name: 'payments/card', value: 'plain words, no shape' }];
  const value = { say: `it is ${live[0]!.value}!`, call: JSON.stringify({ arguments: live[0]!.value }) };
  assert.deepEqual(redactor(live).json(value), {
    value: {
      say: 'it is [redacted secret: payments/card]!',
      call: JSON.stringify({ arguments: '[redacted secret: payments/card]' }),
    },
    redacted: 2,
  });
});

const VALUES = {
  password: 'correct horse! "battery" 100% \\staple',
  unicode: 'пароль-🔑-ключ',
  base64ish: 'dGhpcyBpcyBvbmx5+a/test==',
  lines: `-----BEGIN KEY-----\n${'MIIEpAIBAAKCAQEA'.repeat(4)}\n${'Zm9vYmFyYmF6cXV4'.repeat(4)}\nabcDEFghiJKLmnoPQRstu==\n-----END KEY-----\n`,
};
const FORMS: [string, (value: string) => string][] = [
  ['as it is', (value) => value],
  ['without its last line end', (value) => value.trim()],
  ['in JSON', (value) => JSON.stringify({ value })],
  ['in JSON within JSON', (value) => JSON.stringify({ inner: JSON.stringify([value]) })],
  [
    'in JSON of ASCII alone',
    (value) =>
      JSON.stringify(value).replaceAll(
        /[^\0-\x7f]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
  ],
  ['in an address', (value) => `https://x.example/?q=${encodeURIComponent(value)}&b`],
  ['in a form', (value) => String(new URLSearchParams({ value }))],
  ['in base64', (value) => Buffer.from(value).toString('base64')],
  ['in base64 after a byte', (value) => Buffer.from(`u${value}`).toString('base64')],
  [
    'in a header of basic authentication',
    (value) => `Basic ${Buffer.from(`me:${value}`).toString('base64')}`,
  ],
  ['in base64 for addresses', (value) => Buffer.from(`{"a":"${value}"}`).toString('base64url')],
  ['in lines of Windows', (value) => value.replaceAll('\n', '\r\n')],
];

for (const [name, value] of Object.entries(VALUES)) {
  for (const [where, form] of FORMS) {
    test(`a secret (${name}) ${where} is taken out`, () => {
      const text = `before ${form(value)} after`;
      const clean = redactor([{ name, value }]).text(text);
      assert.match(clean, /^before .*\[redacted secret: \w+\].* after$/s);
      for (let at = 0; at + 12 <= value.length; at++)
        assert.ok(!clean.includes(value.slice(at, at + 12)), clean);
      assert.ok(clean.length < 200, clean);
    });
  }
}

test('what opens something in a secret with members is taken out by itself, where it is does not', () => {
  const value = JSON.stringify({
    type: 'service_account',
    token_uri: 'https://oauth2.example.com/token',
    private_key: VALUES.lines,
    password: 'p4ssw0rd-of-it',
  });
  const { text } = redactor([{ name: 'gcp', value }]);
  assert.equal(text('x p4ssw0rd-of-it x'), 'x [redacted secret: gcp] x');
  assert.ok(!text(`| ${VALUES.lines.replaceAll('\n', '\n| ')}`).includes('MIIE'));
  assert.ok(!text('| abcDEFghiJKLmnoPQRstu==').includes('DEF'));
  for (const ordinary of ['service_account', 'https://oauth2.example.com/token'])
    assert.equal(text(ordinary), ordinary);
});

test('JSON stays JSON, also where a value begins with what an escape ends with', () => {
  const { text } = redactor([{ name: 'odd', value: 'nothing-to-see-here-1' }]);
  assert.deepEqual(JSON.parse(text(JSON.stringify({ a: '\\nothing-to-see-here-1' }))), {
    a: '\\[redacted secret: odd]',
  });
  assert.doesNotThrow(() => JSON.parse(text('{"a":"\\nothing-to-see-here-1"}')));
});

test('by values alone, what has the shape of a token stays', () => {
  const { values } = redactor([{ name: 'one', value: 'value-of-one' }]);
  assert.equal(values(`${OWN} value-of-one`), `${OWN} [redacted secret: one]`);
});
