import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashPassword, isPassword } from './passwords.ts';

test('a password is kept with its parameters and a salt of its own, and is known again however its letters are composed', async () => {
  const [kept, other] = [await hashPassword('café au lait'), await hashPassword('café au lait')];
  assert.match(kept, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  assert.notEqual(kept, other);
  assert.equal(await isPassword('cafe\u0301 au lait', kept), true);
  assert.equal(await isPassword('cafe au lait', kept), false);
  assert.equal(await isPassword('café au lait', null), false);
  assert.equal(await isPassword('', 'not a hash'), false);
});

test('what the reference implementation made, with other parameters, is known', async () => {
  // argon2 somesalt -id -t 2 -m 16 -p 1 -l 32: of its own test vectors.
  const kept = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  assert.equal(await isPassword('password', kept), true);
});

test('a flood waits its turn, and what is beyond the queue is refused at once', async () => {
  const all = await Promise.allSettled(Array.from({ length: 80 }, async () => await isPassword('x', null)));
  const refused = all.filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 80 - 66);
  assert.equal(await isPassword('x', null), false);
});
