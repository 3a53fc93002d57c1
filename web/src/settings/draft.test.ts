import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Setting, Settings } from '../../../protocol/settings.ts';
import { edited, movedBetween, patchOf, shownOf, type Draft } from './draft.ts';

const setting = (path: string, more: Partial<Setting> = {}): Setting => ({
  path,
  group: 'api',
  description: '',
  schema: { type: 'integer' },
  value: 30,
  default: 30,
  defaultMeans: null,
  secret: false,
  source: 'default',
  fixedBy: null,
  inFile: false,
  pending: null,
  ...more,
});
const NONE: Draft = new Map();

test('an edit that says what the file says is none', () => {
  const seconds = setting('api.bodySeconds');
  const draft = edited(NONE, seconds, { value: 40 });
  assert.deepEqual([...draft.keys()], ['api.bodySeconds']);
  assert.equal(shownOf(draft, seconds), 40);
  assert.equal(edited(draft, seconds, { value: 30 }).size, 0);
  assert.equal(edited(NONE, seconds, { value: undefined }).size, 0);
  const waiting = setting('api.bodySeconds', { inFile: true, pending: { value: 45 } });
  assert.equal(edited(NONE, waiting, { value: 45 }).size, 0);
  assert.equal(edited(NONE, waiting, { value: 30 }).size, 1);
});

test('what is reset shows its default and is taken out of the file', () => {
  const written = setting('api.bodySeconds', { inFile: true, value: 50 });
  const draft = edited(NONE, written, { value: undefined });
  assert.equal(shownOf(draft, written), 30);
  const both = edited(draft, setting('roles', { value: ['api'] }), { value: ['gateway'] });
  assert.deepEqual(patchOf(both, 'v1'), {
    version: 'v1',
    set: { roles: ['gateway'] },
    unset: ['api.bodySeconds'],
  });
});

test('what others have changed is told key by key', () => {
  const seen = { keys: [setting('a'), setting('b')] } as Settings;
  const now = { keys: [setting('a', { pending: { value: 31 } }), setting('b')] } as Settings;
  assert.deepEqual(movedBetween(seen, now), [{ path: 'a', was: 30, is: 31 }]);
});
