import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApi } from '../api/testing.ts';
import { runCli } from './testing/run-cli.ts';

test('people are made, changed, shown and disabled; what was done is listed', async () => {
  await using api = await testApi();
  await api.db.pool.query(`insert into project (name) values ('shop')`);
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = api.app.server.address() as { port: number };
  const env = { AUTOCODE_URL: `http://127.0.0.1:${port}`, AUTOCODE_TOKEN: await api.token('admin') };
  const run = async (...words: string[]) => await runCli(words, { env });

  const made = await run('user', 'create', 'ann', '--role', 'viewer', '--project', 'shop=operator');
  assert.match(made.stdout, /^http:\/\/127\.0\.0\.1:\d+\/welcome#ann\/[\w-]{43}\n$/);
  assert.match(made.stderr, /ann sets a password with this link, once, until /);
  const code = made.stdout.trim().split('/').at(-1);
  await api.send(null, 'POST', '/api/v1/welcomes', { code, password: 'long enough to be one' });
  const set = await run('user', 'set', 'ann', '--role', 'none', '--project', 'shop=viewer');
  assert.match(set.stdout, /^ann: shop=viewer\nsigns in with: password\n/);

  const audit = await run('audit', 'list', '--limit', '1');
  assert.match(audit.stdout, /admin\s+127\.0\.0\.1\s+PATCH \/people\/ann\s+200/);
  const [people, sessions, nothing, noRole, taken] = await Promise.all([
    run('user', 'list'),
    run('user', 'sessions', 'ann'),
    run('user', 'create', 'bob'),
    run('user', 'create', 'bob', '--project', 'shop'),
    run('user', 'reset', 'bob'),
  ]);
  assert.match(people.stdout, /ann\s+shop=viewer\s+password\s+1\s/);
  assert.match(sessions.stdout, /1\s+ann\s+link\s+127\.0\.0\.1/);
  assert.match(nothing.stderr, /bob would not be allowed to do anything/);
  assert.match(noRole.stderr, /--project shop names no role/);
  assert.match(taken.stderr, /There is no person bob/);
  const revoked = await run('user', 'revoke', '1');
  assert.match(revoked.stdout, /Session 1 is over/);
});
