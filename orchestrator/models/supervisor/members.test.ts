import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalModel } from '../../../protocol/local-model.ts';
import { testDatabase } from '../../../test/support/database.ts';
import { keepCatalogue, listLocalModels } from './members.ts';

test('of launches that have all ended the newest tells how a model is, in whatever order they were kept', async () => {
  await using db = await testDatabase();
  await keepCatalogue(db.pool, [LocalModel.parse({ name: 'coder', path: 'coder' })]);
  for (const [problem, minutes] of Object.entries({ older: 20, newest: 1, oldest: 30 }))
    await db.pool.query(
      `insert into engine_instance (launch, model, kind, state, gpus, problem, since, began_at, ended_at)
       select gen_random_uuid(), 'coder', 'vllm', 'failed', '[0]', $1, at, at, at from (select now() - $2 * interval '1 minute') as m(at)`,
      [problem, minutes],
    );
  assert.equal((await listLocalModels(db.pool))[0]?.problem, 'newest');
});
