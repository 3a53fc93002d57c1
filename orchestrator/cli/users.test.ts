import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApi } from '../api/testing.ts';
import { runCli } from './testing/run-cli.ts';

test('people are made, shown, changed, disabled and given new links; what they did is listed', async () => {
  await using api = await testApi();
  await api.db.pool.query(`insert into project (name) values ('shop')`);
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = api.app.server.address() as { port: number };
  const env = { AUTOCODE_URL: `http://127.0.0.1:${port}`, AUTOCODE_TOKEN: await api.token('admin') };
  const run = async (...words: string[]) => await runCli(words, { env });
  const out = async (...words: string[]) => (await run(...words)).stdout;

  const made = await run('user', 'create', 'ann', '--role', 'viewer', '--project', 'shop=operator');
  assert.match(made.stdout, /^http:\/\/127\.0\.0\.1:\d+\/welcome#ann\/[\w-]{43}\n$/);
  assert.match(made.stderr, /ann sets a password with this link, once, until /);
  const code = made.stdout.trim().split('/').at(-1);
  await api.send(null, 'POST', '/api/v1/welcomes', { code, password: 'long enough to be one' });

  assert.match(await out('user', 'show', 'ann'), /^ann: viewer, shop=operator\nsigns in with: password\n/);
  await run('user', 'set', 'ann', '--role', 'none', '--project', 'shop=viewer');
  assert.match(await out('user', 'list'), /ann\s+shop=viewer\s+password\s+1\s/);
  const sessions = JSON.parse(await out('user', 'sessions', 'ann', '--json'));
  assert.equal(sessions.length, 1);
  assert.match(await out('user', 'revoke', String(sessions[0].id)), /is over/);
  assert.match(await out('user', 'sessions'), /Nobody is signed in/);
  assert.match(await out('user', 'reset', 'ann'), /\/welcome#ann\//);
  await run('user', 'disable', 'ann');
  assert.match(await out('user', 'list'), /disabled/);
  assert.match(await out('user', 'enable', 'ann'), /can sign in again/);
  assert.match(
    await out('audit', 'list', '--limit', '1'),
    /admin\s+127\.0\.0\.1\s+PATCH \/people\/ann\s+200/,
  );

  const refused = [
    [['user', 'create', 'bob'], /would not be allowed to do anything/],
    [['user', 'create', 'bob', '--project', 'shop'], /--project shop names no role/],
    [['user', 'create', 'bob', '--project', 'none=viewer'], /There is no project none/],
    [['user', 'show', 'bob'], /There is no person bob/],
    [['user', 'create', 'ann', '--role', 'admin'], /There is a person ann already/],
  ] as const;
  await Promise.all(
    refused.map(async ([words, told]) => assert.match((await run(...words)).stderr, told, words.join(' '))),
  );
});
