import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { ProjectInput } from '../../protocol/project.ts';
import { lookAtRepository } from './look.ts';
import { bindRepositories } from './repositories.ts';
import { AUTHOR, noForges, workshop } from './testing/workshop.ts';

test('a look tells name, branch, checks and projects of a repository, and what is wrong with an address', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const deps = {
    db: db.pool,
    store: shop.store,
    forges: noForges(db.pool),
    stopping: new AbortController().signal,
  };
  const origin = shop.workingCopy('Web Shop', {
    Makefile: 'test:\n\ttrue\n',
    '.autocode.yaml': 'draft: true\n',
  });
  const fresh = await lookAtRepository(deps, { origin: `${origin}/.git` });
  assert.deepEqual(fresh, {
    origin,
    name: 'web-shop',
    projects: [],
    forge: 'local',
    kind: null,
    defaultBranch: 'main',
    verify: [{ name: 'test', command: 'make test' }],
    file: true,
    problem: null,
  });
  const repositories = bindRepositories({ ...deps, author: AUTHOR, onError: assert.ifError });
  await repositories.create(ProjectInput.parse({ name: 'shop', repository: origin }));
  assert.deepEqual((await repositories.look({ origin })).projects, ['shop']);
  const gone = await repositories.look({ origin: `${origin}-gone` });
  assert.match(gone.problem!.message, /There is nothing at/);
  assert.equal(gone.problem!.remedy, 'Check the path.');
  await assert.rejects(repositories.look({ origin: 'https://ann:secret@example.org/a/b' }), {
    code: 'ERR_INVALID_INPUT',
  });
});

test('a forge that nobody has connected is recognised by its address', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const server = http.createServer((request, response) => {
    const known = request.url === '/api/v1/version';
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
    response.end(known ? '{"version":"1.24.0"}' : '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stopping = new AbortController().signal;
  const deps = { db: db.pool, store: shop.store, forges: noForges(db.pool), stopping };
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/acme/shop.git`;
  const look = await lookAtRepository(deps, { origin }).finally(() => server.close());
  assert.deepEqual([look.kind, look.forge, look.name, look.defaultBranch], ['gitea', 'local', 'shop', null]);
  assert.notEqual(look.problem, null);
});
