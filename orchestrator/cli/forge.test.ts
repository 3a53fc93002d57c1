import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ForgeUse } from '../../protocol/forge.ts';
import { fakeApi, runCli } from './testing/run-cli.ts';

const USE: ForgeUse = {
  name: 'git.example.com',
  kind: 'gitea',
  url: 'https://git.example.com',
  configured: false,
  projects: ['shop'],
  changes: [],
  sources: ['issues', 'checks'],
  secrets: ['forge-git.example.com', 'webhook-git.example.com'],
};

test('forge remove --dry-run tells what uses it and changes nothing; without, what is left to do at the forge', async () => {
  await using api = await fakeApi({
    'GET /forges/git.example.com': { body: USE },
    'DELETE /forges/git.example.com': { body: USE },
  });
  const run = async (...words: string[]) =>
    (await runCli(['forge', 'remove', 'git.example.com', ...words], { env: { AUTOCODE_URL: api.url } }))
      .stdout;
  assert.match(
    await run('--dry-run'),
    /would not be removed[^]*projects: shop\n {2}sources: issues, checks\nNothing was changed/,
  );
  assert.deepEqual(
    api.requests.map(({ line }) => line),
    ['GET /forges/git.example.com'],
  );
  assert.match(await run(), /removed with its secrets forge-git.example.com and webhook[^]*Revoke its token/);
});
