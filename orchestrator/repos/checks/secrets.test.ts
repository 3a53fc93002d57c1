import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formsOf } from '../../redaction/forms.ts';
import { search } from './secrets.ts';

// In pieces, so that nobody's search finds them here.
const TOKEN = `gh${'p_'}wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx`;
const KEY = [
  '-----BEGIN RSA',
  ' PRIVATE KEY-----\n',
  `${'MIIEpAIBAAKCAQEA'.repeat(4)}\n`.repeat(12),
  '-----END RSA',
  ' PRIVATE KEY-----\n',
].join('');
const file = (path: string, after: string, before = '') => ({
  path,
  before: Buffer.from(before),
  after: Buffer.from(after),
});

test('a secret is found with its line and kind, and is not shown', async () => {
  const [finding, ...others] = await search([file('src/a.ts', `const a = 1;\nconst token = '${TOKEN}';\n`)]);
  assert.deepEqual(others, []);
  assert.equal(finding?.path, 'src/a.ts');
  assert.match(finding.reason, /line 2 .*github/);
  assert.ok(!JSON.stringify(finding).includes(TOKEN.slice(6, 20)));
});

test('the value of a secret that is kept is found in all its forms, and is not shown', async () => {
  const value = 'plain words, no shape';
  const live = formsOf([{ name: 'payments/card', value }]);
  const after = `a\n"${value}"\n${Buffer.from(`u:${value}`).toString('base64')}\n`;
  const found = await search(
    [file('src/a.ts', after), file('b', `${value}\n`, `${value} was there`)],
    120_000,
    live,
  );
  assert.deepEqual(
    found.map(({ path, reason }) => [path, reason]),
    [2, 3].map((line) => ['src/a.ts', `line ${line} holds a kept secret (secret: payments/card)`]),
  );
});

test('a comment in the file does not switch the search off', async () => {
  const found = await search([file('a.ts', `// secretlint-disable\n'${TOKEN}'\n`), file('k', KEY)]);
  assert.deepEqual(
    found.map(({ path }) => path),
    ['a.ts', 'k'],
  );
});

test('what was there before is not of this change, even on another line', async () => {
  assert.deepEqual(await search([file('a.ts', `x\ny\n'${TOKEN}'\n`, `'${TOKEN}'\n`)]), []);
});

test('ordinary text, binary bytes and empty files hold nothing', async () => {
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 256));
  assert.deepEqual(
    await search([
      file('a', 'password = read()\n'),
      { path: 'b', before: null, after: bytes },
      file('c', ''),
    ]),
    [],
  );
});

test('a search that takes too long is ended and told', async () => {
  const [finding] = await search([file('a.ts', 'x\n')], 0);
  assert.match(finding?.reason ?? '', /could not be searched/);
});
