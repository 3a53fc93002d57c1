import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanBytes } from './clean-bytes.ts';
import { redactor } from './redactor.ts';

const PASSWORD = 'пароль "with" 12 signs';
const PEM = [
  '-----BEGIN',
  ' PRIVATE KEY-----\nMIIE',
  `${'a1B2'.repeat(15)}\n${'c3D4'.repeat(16)}\n-----END`,
  ' PRIVATE KEY-----',
].join('');
const TOKEN = `gh${'p_'}wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx`;
const REDACTOR = redactor([{ name: 'password', value: PASSWORD }]);
const NONE = Buffer.alloc(0);

/** What is kept of pieces that a worker gives, which gives again what was not taken. */
function kept(pieces: Buffer[]): Buffer {
  const taken: Buffer[] = [];
  let before: Buffer = NONE;
  let held: Buffer = NONE;
  const take = (bytes: Buffer, all: boolean) => {
    const { bytes: clean } = cleanBytes(REDACTOR, before, bytes, all);
    taken.push(clean);
    before = Buffer.concat([before, bytes.subarray(0, clean.length)]).subarray(-REDACTOR.reach);
    held = bytes.subarray(clean.length);
  };
  for (const piece of pieces) take(Buffer.concat([held, piece]), false);
  if (held.length > 0) take(held, true);
  return Buffer.concat(taken);
}

for (const [name, secret] of Object.entries({
  PASSWORD,
  TOKEN,
  PEM,
  escaped: JSON.stringify(PASSWORD).slice(1, -1),
})) {
  test(`wherever the pieces are cut, the same is masked, and nothing else (${name})`, () => {
    const before = Buffer.from('a line – with signs\n');
    const after = Buffer.from('\nanother one\n');
    const all = Buffer.concat([before, Buffer.from(secret), after]);
    const whole = cleanBytes(REDACTOR, NONE, all, false).bytes;
    assert.equal(whole.length, all.length);
    assert.match(whole.toString(), /^a line – with signs\n[*\n]+\nanother one\n$/);
    for (let cut = 1; cut < all.length; cut++) {
      const clean = kept([all.subarray(0, cut), all.subarray(cut)]);
      // What is too short to be a beginning, or the head of a key, is out already.
      const shown = clean
        .subarray(before.length, -after.length)
        .filter((byte) => byte !== 0x2a && byte !== 0x0a);
      assert.equal(clean.length, all.length);
      assert.ok(shown.length < 12, `${cut}: ${clean.toString()}`);
    }
  });
}

test('byte by byte as well, and at the end what is only the beginning of a secret', () => {
  const bytes = Buffer.from(`x ${TOKEN} y ${PASSWORD} z ${PASSWORD.slice(0, 9)}`);
  const clean = kept([...bytes].map((byte) => Buffer.from([byte]))).toString('latin1');
  assert.equal(clean.length, bytes.length);
  assert.match(clean, /^x .{0,4}\*{36,} y .{0,4}\*{20,} z .{0,4}\*{10,}$/);
});

test('what holds no secret is the same, and none of it waits', () => {
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, n) => (n * 7919) % 251));
  assert.deepEqual(cleanBytes(REDACTOR, NONE, bytes, false), { bytes, masked: 0 });
});
