// How two lists of rules differ, in words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differencesOf, readListing } from './listing.ts';

interface Rule {
  comment?: string;
  expr?: object[];
}
const drop = (comment: string, packets = 0): Rule => ({
  comment,
  expr: [{ counter: { packets, bytes: 10 * packets } }, { drop: null }],
});

const listingOf = (rules: Rule[], elem: string[] = ['a', 'b'], handle = 1) =>
  readListing(
    JSON.stringify({
      nftables: [
        { metainfo: { version: '1.0.6' } },
        { table: { family: 'inet', name: 't', handle } },
        { set: { name: 'workers', table: 't', elem, handle } },
        { chain: { name: 'c', hook: 'forward', handle } },
        ...rules.map((rule, index) => ({ rule: { chain: 'c', handle: handle + index, ...rule } })),
      ],
    }),
  );

const wanted = listingOf([drop('one'), drop('two')]);

test('handles, counts and the order in sets are no difference', () => {
  const found = listingOf([drop('one', 5), drop('two')], ['b', 'a'], 40);
  assert.deepEqual(differencesOf(wanted, found), []);
  assert.deepEqual(found.counted, [
    { rule: 'one', packets: 5, bytes: 50 },
    { rule: 'two', packets: 0, bytes: 0 },
  ]);
  assert.deepEqual(found.interfaces, ['b', 'a']);
});

for (const [what, found, differences] of [
  ['a rule that is gone', listingOf([drop('one')]), ['the rule "two" of c is missing']],
  [
    'a rule that is another',
    listingOf([drop('one'), { comment: 'two', expr: [{ accept: null }] }]),
    ['the rule "two" of c is not as it should be'],
  ],
  [
    'a rule of others',
    listingOf([{ expr: [{ accept: null }] }, drop('one'), drop('two')]),
    ['the rule "(without a comment)" of c is not from here'],
  ],
  [
    'another order',
    listingOf([drop('two'), drop('one')]),
    ['the rules of c are not in their order, or one is there twice'],
  ],
  [
    'a rule twice',
    listingOf([drop('one'), drop('two'), drop('two')]),
    ['the rules of c are not in their order, or one is there twice'],
  ],
  [
    'another interface',
    listingOf([drop('one'), drop('two')], ['a']),
    ['the set workers is not as it should be'],
  ],
] as const) {
  test(`told in words: ${what}`, () => assert.deepEqual(differencesOf(wanted, found), differences));
}
