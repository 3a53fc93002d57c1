import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../../test/support/database.ts';
import { transaction } from '../../db/connect.ts';
import { policyVersions } from './history.ts';
import { effectivePolicy, setPolicy } from './store.ts';

test('versions are told with what each changed, those of one scope alone, page by page', async () => {
  await using db = await testDatabase();
  await db.pool.query(`insert into project (name, verify, limits) values ('shop', '[]', '{}')`);
  const presets = new Map();
  const set = async (project: string | null, text: string) =>
    await transaction(
      db.pool,
      async (tx) => await setPolicy(tx, presets, project, { text, dryRun: false }, 'ada'),
    );
  await set(null, 'allow host=a.example');
  await set('shop', 'allow host=shop.example');
  await set(null, 'allow host=a.example\nallow host=b.example');
  await set(null, 'allow host=b.example # better');
  const page = await policyVersions(db.pool, presets, null, { limit: 2 });
  assert.deepEqual(
    page.map(({ author, added, removed }) => ({ author, added, removed })),
    [
      { author: 'ada', added: [], removed: ['allow host=a.example'] },
      { author: 'ada', added: ['allow host=b.example'], removed: [] },
    ],
  );
  assert.equal(page[0]?.text, 'allow host=b.example # better');
  const [first, ...none] = await policyVersions(db.pool, presets, null, {
    before: page[1]!.version,
    limit: 2,
  });
  assert.deepEqual([first?.added, none], [['allow host=a.example'], []]);
  assert.equal((await policyVersions(db.pool, presets, 'shop', { limit: 2 })).length, 1);
  await assert.rejects(policyVersions(db.pool, presets, 'none', { limit: 2 }), { code: 'ERR_NOT_FOUND' });
});

test('what would hold with another text is known before it is set', async () => {
  await using db = await testDatabase();
  await db.pool.query(`insert into project (name, verify, limits) values ('shop', '[]', '{}')`);
  const rules = async (instead?: { project: string | null; text: string }) =>
    (await effectivePolicy(db.pool, new Map(), instead)).rules.map(({ host, project }) => [host, project]);
  await transaction(db.pool, async (tx) => {
    await setPolicy(tx, new Map(), null, { text: 'allow host=a.example', dryRun: false }, 'ada');
  });
  assert.deepEqual(await rules({ project: 'shop', text: 'allow host=b.example' }), [
    ['a.example', null],
    ['b.example', 'shop'],
  ]);
  assert.deepEqual(await rules({ project: null, text: 'allow host=c.example' }), [['c.example', null]]);
  assert.deepEqual(await rules(), [['a.example', null]]);
});
