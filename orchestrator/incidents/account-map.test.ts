import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IncidentSettings } from '../config/incident-settings.ts';
import { accountMap } from './account-map.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

const mapOf = (...rules: string[][]) =>
  accountMap({ accounts: [], connected: rules.map((accounts) => ({ accounts })) });

test('an account that no rule names stands for itself', () => {
  assert.deepEqual(mapOf(['a', 'b']).groupOf('c'), ['c']);
});

test('what is connected with the same account is connected, a circle and an account with itself do no harm', () => {
  const map = mapOf(['b', 'a'], ['b', 'c'], ['c', 'a'], ['a', 'a'], ['x', 'y']);
  for (const account of ['a', 'b', 'c']) assert.deepEqual(map.groupOf(account), ['a', 'b', 'c']);
  assert.deepEqual(map.groupOf('y'), ['x', 'y']);
});

test('the groups are the same in whichever order the rules stand', () => {
  const account = fc.constantFrom(...NAMES);
  const rules = fc.array(fc.array(account, { minLength: 2, maxLength: 3 }), { maxLength: 8 });
  fc.assert(
    fc.property(rules, (given) => {
      const [one, other] = [mapOf(...given), mapOf(...given.toReversed().map((each) => each.toReversed()))];
      for (const each of NAMES) {
        assert.deepEqual(one.groupOf(each), other.groupOf(each));
        for (const member of one.groupOf(each)) assert.deepEqual(one.groupOf(member), one.groupOf(each));
      }
    }),
  );
});

test('a chain of ten thousand accounts is one group', () => {
  const names = Array.from({ length: 10_000 }, (_, index) => String(index));
  const map = mapOf(...names.slice(1).map((name, index) => [name, names[index]!]));
  assert.equal(map.groupOf('0').length, 10_000);
});

test('reasons are those of the group, and an account is told once only', () => {
  const map = accountMap({
    accounts: [{ account: '1', name: 'shop' }],
    connected: [
      { accounts: ['1', '2'], reason: 'calls it' },
      { accounts: ['3', '4'], reason: 'other' },
    ],
  });
  assert.deepEqual(map.reasonsFor(map.groupOf('2')), ['calls it']);
  assert.equal(map.of('1')?.name, 'shop');
  assert.equal(IncidentSettings.safeParse({ accounts: [{ account: '1' }, { account: '1' }] }).success, false);
});
