import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ForgeFact } from '../../repos/forge/facts.ts';
import type { Source } from '../source.ts';
import { factDelivery, type ForgeSourceSettings } from '../forge-source.ts';
import { forge } from './forge.ts';

const source = (settings: object = {}): Source<ForgeSourceSettings> => ({
  name: 'work',
  kind: 'forge',
  project: null,
  trust: { actors: [], perHour: 60, perActorPerHour: 20, quarantine: true, reopenings: 10 },
  settings: forge.settings.parse({ forge: 'git', ...settings }),
});
const common = { path: 'Acme/Shop', by: 'ann', at: '2026-01-01T00:00:00Z', url: 'https://git/x' };
const issue: ForgeFact = {
  what: 'issue',
  ...common,
  number: 7,
  title: 't',
  text: 'b',
  labels: ['AutoCode'],
  assignees: ['Bot'],
  byRight: true,
};
const comment: ForgeFact = {
  what: 'comment',
  ...common,
  number: 7,
  id: '3',
  text: 'Hey @Autocode, look.',
  onChange: false,
};
const review: ForgeFact = {
  what: 'review',
  ...common,
  number: 9,
  id: 'r',
  text: 'No.',
  says: 'line',
  place: 'a.ts:4',
};
const check: ForgeFact = { what: 'check', ...common, commit: 'c', branch: null, name: 'ci', text: 'red' };
const items = (fact: ForgeFact, settings: object = {}) =>
  forge.parse(source(settings), factDelivery(fact, 'x'));

test('what follows from each fact', () => {
  const place = { forge: 'git', path: 'Acme/Shop' };
  assert.partialDeepStrictEqual(items(issue), [
    { kind: 'task', key: 'acme/shop#7', subject: 'acme/shop#7', byRight: true, place },
  ]);
  assert.partialDeepStrictEqual(items(comment), [
    { kind: 'message', subject: 'acme/shop#7', actor: 'ann', byRight: false },
  ]);
  assert.partialDeepStrictEqual(items(review), [
    { kind: 'message', change: { number: 9 }, text: 'a.ts:4:\n\nNo.' },
  ]);
  assert.partialDeepStrictEqual(items(check), [{ kind: 'message', actor: null, change: { commit: 'c' } }]);
});

const table: [string, ForgeFact, object, number][] = [
  ['an issue with another label', { ...issue, labels: ['bug'] }, {}, 0],
  ['an issue that is assigned', { ...issue, labels: [] }, { assignee: 'bot' }, 1],
  ['a comment that mentions nobody', { ...comment, text: 'Nice.' }, {}, 0],
  ['a comment of our own', { ...comment, text: 'Hey @autocode <!-- autocode task 1 -->' }, {}, 0],
  ['a review where reviews are off', review, { reviews: false }, 0],
  ['a check where checks are off', check, { checks: false }, 0],
  ['another repository', issue, { repositories: ['acme/other'] }, 0],
  ['a repository that is named', issue, { repositories: ['acme/shop'] }, 1],
];
for (const [what, fact, settings, count] of table)
  test(`${what}: ${count === 0 ? 'nothing' : 'one item'}`, () =>
    assert.equal(items(fact, settings).length, count));

test('a delivery of each kind of forge says the same as an answer that was asked for', () => {
  const sender = { login: 'ann' };
  const told = {
    action: 'label_updated',
    repository: { full_name: 'Acme/Shop' },
    sender,
    issue: {
      number: 7,
      html_url: 'https://git/x',
      title: 't',
      body: 'b',
      state: 'open',
      user: { login: 'eve' },
      labels: [{ name: 'autocode' }],
    },
  };
  const gitlab = {
    object_kind: 'issue',
    user: { id: 1, username: 'ann' },
    project: { path_with_namespace: 'Acme/Shop' },
    object_attributes: {
      iid: 7,
      url: 'https://git/x',
      title: 't',
      description: 'b',
      state: 'opened',
      author_id: 2,
    },
    labels: [{ title: 'autocode' }],
  };
  const deliver = (event: string, body: object) =>
    forge.parse(source(), { delivery: '1', event, body: Buffer.from(JSON.stringify(body)) });
  for (const [event, body] of [
    ['gitea issues', told],
    ['github issues', { ...told, action: 'labeled' }],
    ['gitlab Issue Hook', gitlab],
  ] as const) {
    const [item] = deliver(event, body);
    assert.partialDeepStrictEqual(item, {
      key: items(issue)[0]!.key,
      actor: 'ann',
      byRight: true,
      title: 't',
      text: 'b',
    });
  }
});
