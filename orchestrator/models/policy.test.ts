import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { catalogue } from './catalogue.ts';
import { getPolicy, updatePolicy } from './policy.ts';

const models = catalogue({
  engines: [
    {
      kind: 'upstream',
      name: 'gpu',
      url: 'http://127.0.0.1:1',
      protocols: ['chat'],
      queue: 1,
      queueSeconds: 1,
      models: [{ name: 'small' }],
    },
  ],
  roles: { coder: ['gpu/small'] },
  ceilingPrice: { input: 1, cached: 1, output: 1 },
  recordingDirectories: [],
});

test('a policy allows all models inside until it is told otherwise, and a patch changes what it names', async () => {
  await using database = await testDatabase();
  const { pool } = database;
  await pool.query(`insert into project (name) values ('shop')`);
  const first = await getPolicy(pool, 'shop');
  assert.deepEqual(first, { allow: [], external: false, cacheAnswers: false, keepPrompts: false });
  await updatePolicy(pool, models, 'shop', { allow: ['autocode/coder', 'gpu/small'] });
  await updatePolicy(pool, models, 'shop', { external: true });
  assert.deepEqual(await getPolicy(pool, 'shop'), {
    ...first,
    allow: ['autocode/coder', 'gpu/small'],
    external: true,
  });
});

test('a model that is not there, and a project that is not, are refused', async () => {
  await using database = await testDatabase();
  const { pool } = database;
  await assert.rejects(updatePolicy(pool, models, 'shop', { allow: ['huge'] }), {
    code: 'ERR_MODEL_UNKNOWN',
    remedy: /gpu\/small, autocode\/coder/,
  });
  await assert.rejects(updatePolicy(pool, models, 'shop', {}), { code: 'ERR_NOT_FOUND' });
  await assert.rejects(getPolicy(pool, 'shop'), { code: 'ERR_NOT_FOUND' });
});
