import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgeName, hostOf, issueOn, pathOn, webAddress } from './address.ts';

test('a repository is found on its forge by any of its addresses, and on no other', () => {
  const table: [string, string, string | undefined][] = [
    ['https://git.example.com', 'https://git.example.com/acme/shop.git', 'acme/shop'],
    ['https://git.example.com', 'https://git.example.com/acme/shop/', 'acme/shop'],
    ['https://example.com/git', 'https://example.com/git/acme/shop', 'acme/shop'],
    ['https://example.com/git', 'https://example.com/gitother/shop', undefined],
    ['https://example.com/git', 'https://example.com/acme/shop', undefined],
    ['https://git.example.com', 'http://git.example.com/acme/shop', undefined],
    ['https://git.example.com', 'https://git.example.com:8443/acme/shop', undefined],
    ['https://git.example.com', 'https://git.example.com.evil.test/acme/shop', undefined],
    ['https://git.example.com', 'https://git.example.com/acme', undefined],
    ['https://git.example.com', 'https://git.example.com/acme/group/shop', 'acme/group/shop'],
    ['https://git.example.com', 'git@git.example.com:acme/shop.git', 'acme/shop'],
    ['https://git.example.com', 'ssh://git@git.example.com:2222/acme/shop.git', 'acme/shop'],
    ['https://git.example.com', 'git@other.example.com:acme/shop.git', undefined],
    ['https://git.example.com', '/srv/acme/shop', undefined],
  ];
  for (const [forge, origin, path] of table)
    assert.equal(pathOn(forge, origin), path, `${origin} on ${forge}`);
});

test('a forge is named by its host, and found by it for http addresses alone', () => {
  assert.equal(forgeName('https://Git.Example.com'), 'git.example.com');
  assert.equal(forgeName('http://127.0.0.1:3000/git'), '127.0.0.1-3000');
  assert.equal(webAddress('https://git.example.com/acme/shop'), 'https://git.example.com');
  assert.throws(() => webAddress('git@git.example.com:acme/shop'), { code: 'ERR_INVALID_INPUT' });
});

test('an issue is found on its forge by the address that a browser shows', () => {
  const table: [string, { path: string; number: number } | undefined][] = [
    ['https://git.example.com/acme/shop/issues/12', { path: 'acme/shop', number: 12 }],
    ['https://git.example.com/acme/shop/issues/12#issuecomment-3', { path: 'acme/shop', number: 12 }],
    ['https://git.example.com/acme/group/shop/-/issues/7?x=1', { path: 'acme/group/shop', number: 7 }],
    ['https://git.example.com/acme/group/shop/-/work_items/7', { path: 'acme/group/shop', number: 7 }],
    ['https://git.example.com/acme/shop/pull/12', undefined],
    ['https://git.example.com/acme/shop/issues/new', undefined],
    ['https://other.example.com/acme/shop/issues/12', undefined],
  ];
  for (const [address, place] of table)
    assert.deepEqual(issueOn('https://git.example.com', address), place, address);
});

test('the host of a repository is told by http and by ssh', () => {
  const origins = [
    'https://git.example.com/a/b',
    'git@git.example.com:a/b.git',
    'ssh://git@git.example.com:22/a/b',
  ];
  for (const origin of origins) assert.equal(hostOf(origin), 'git.example.com');
  assert.equal(hostOf('/srv/a/b'), undefined);
});
