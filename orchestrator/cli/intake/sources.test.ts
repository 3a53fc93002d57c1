import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IntakeSource } from '../../../protocol/intake.ts';
import { fakeApi, runCli } from '../testing/run-cli.ts';

const SOURCE: IntakeSource = {
  name: 'work',
  kind: 'forge',
  project: null,
  trust: { actors: ['alice'], perHour: 60, perActorPerHour: 20, quarantine: true, reopenings: 10 },
  settings: { forge: 'git.example.com' },
  version: 'v1',
  secretName: 'intake-work',
  hook: null,
  paused: false,
  lookedAt: null,
  trouble: null,
  waiting: 0,
  createdBy: 'me',
  createdAt: '2026-11-20T10:00:00.000Z',
};

test('intake source set changes what is named, against what was there', async () => {
  await using api = await fakeApi({
    'GET /intake/sources/work': { body: SOURCE },
    'PATCH /intake/sources/work': { body: SOURCE },
  });
  const run = async (...words: string[]) =>
    await runCli(['intake', 'source', 'set', 'work', ...words], { env: { AUTOCODE_URL: api.url } });
  const { stdout } = await run('--actor', 'bob', '--per-hour', '5', '--no-quarantine');
  assert.equal(stdout, 'Source work is changed.\n');
  const trust = { ...SOURCE.trust, actors: ['bob'], perHour: 5, quarantine: false };
  assert.deepEqual(api.requests[1]?.body, { version: 'v1', trust });
  await runCli(['intake', 'source', 'set', 'work', '--project', 'shop', '--settings', '-'], {
    env: { AUTOCODE_URL: api.url },
    input: 'forge: other.example.com',
  });
  const changed = {
    version: 'v1',
    project: 'shop',
    settings: { forge: 'other.example.com' },
    trust: SOURCE.trust,
  };
  assert.deepEqual(api.requests[3]?.body, changed);
});
