import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IntakeSource } from '../../../protocol/intake.ts';
import { changedIn, draftOf, freshSecret, inputOf, namedSecrets, newDraft, patchOf } from './source-draft.ts';

const SEEN = {
  name: 'nightly',
  kind: 'schedule',
  project: 'shop',
  version: 'v1',
  settings: { cron: '0 3 * * *', title: 'Tidy' },
  trust: { actors: [], perHour: 60 },
} as unknown as IntakeSource;

test('what somebody else has changed is told part by part', () => {
  const now = { ...SEEN, project: null, settings: { cron: '0 4 * * *', title: 'Tidy', text: 'x' } };
  assert.deepEqual(changedIn(SEEN, now), [
    ['project', null],
    ['settings.cron', '0 4 * * *'],
    ['settings.text', 'x'],
  ]);
  assert.deepEqual(changedIn(SEEN, structuredClone(SEEN)), []);
});

test('a secret is sent when one was typed, and never known before', () => {
  const draft = draftOf(SEEN);
  assert.deepEqual(patchOf({ ...draft, project: '' }, SEEN), {
    version: 'v1',
    project: null,
    settings: SEEN.settings,
    trust: SEEN.trust,
  });
  assert.ok(!('secret' in inputOf(draft)));
  assert.partialDeepStrictEqual(inputOf({ ...draft, secret: 'x' }), { name: 'nightly', secret: 'x' });
  assert.match(freshSecret(), /^whsec_[\w+/]{43}=$/);
  assert.notEqual(freshSecret(), freshSecret());
});

test('another kind begins with its own settings; name, project and trust stay', () => {
  const kind = {
    kind: 'jira',
    settings: {
      properties: { token: { type: 'string', format: 'secret-name' }, labels: { default: ['a'] } },
    },
  } as never;
  const draft = newDraft(kind, { trust: {} } as never, { ...draftOf(SEEN), secret: 'typed' });
  assert.deepEqual(
    [draft.name, draft.project, draft.kind, draft.settings, draft.secret],
    ['nightly', 'shop', 'jira', { labels: ['a'] }, ''],
  );
  const schema = { properties: { token: { format: 'secret-name' }, jql: {} } };
  assert.deepEqual(namedSecrets({ token: 'jira-token', jql: 'x' }, schema), ['jira-token']);
  assert.deepEqual(namedSecrets({}, schema), []);
});
