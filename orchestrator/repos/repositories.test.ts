import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { ProjectInput } from '../../protocol/project.ts';
import { bindRepositories } from './repositories.ts';
import { AUTHOR, noForges, workshop } from './testing/workshop.ts';

test('a project is made of a repository, its verify commands found, or of none, hosted here', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const repositories = bindRepositories({
    db: db.pool,
    store: shop.store,
    author: AUTHOR,
    forges: noForges(db.pool),
    stopping: new AbortController().signal,
    onError: assert.ifError,
  });
  const repository = shop.workingCopy('w', { Makefile: 'test:\n\ttrue\n' });
  const found = await repositories.create(ProjectInput.parse({ name: 'found', repository }));
  assert.deepEqual(found.verify, [{ name: 'test', command: 'make test' }]);
  assert.equal(found.repositories[0]?.origin, repository);
  const told = await repositories.create(ProjectInput.parse({ name: 'told', repository, verify: [] }));
  assert.deepEqual(told.verify, []);
  const hosted = await repositories.create(ProjectInput.parse({ name: 'hosted' }));
  assert.equal(hosted.repositories[0]?.hosted, true);
  assert.match(shop.git('.', 'ls-remote', hosted.repositories[0]!.origin), /refs\/heads\/main$/);
  const odd = ProjectInput.parse({ name: 'odd', defaultBranch: 'a branch?' });
  await assert.rejects(repositories.create(odd), {
    code: 'ERR_INVALID_INPUT',
    message: /"a branch\?" cannot be/,
  });
  await assert.rejects(repositories.create(ProjectInput.parse({ name: 'found', repository })), {
    code: 'ERR_CONFLICT',
  });
});
