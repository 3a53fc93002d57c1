// Sources by the API: what each kind is asked for, and how one is changed without anybody's change being lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SOURCE_KINDS } from '../../../protocol/intake.ts';
import { aProject } from '../../tasks/testing/work.ts';
import { testApi } from '../testing.ts';

const SOURCES = '/api/v1/intake/sources';

test('each kind tells what it is, what is to be done at the far side, and its settings with descriptions', async () => {
  await using api = await testApi();
  const { body } = await api.send('viewer', 'GET', '/api/v1/intake/source-kinds');
  assert.deepEqual(
    body.kinds.map(({ kind }: { kind: string }) => kind),
    [...SOURCE_KINDS],
  );
  for (const { kind, what, settings } of body.kinds) {
    assert.ok(what.length > 10, kind);
    for (const [name, schema] of Object.entries<{ description?: string }>(settings.properties))
      assert.ok(schema.description, `${kind}.${name} is not described`);
  }
  assert.ok('actors' in body.trust.properties);
  assert.equal(body.kinds.find(({ kind }: { kind: string }) => kind === 'schedule').secret, null);
});

test('a source is changed as it was seen; whoever comes second is told and overwrites nothing', async () => {
  await using api = await testApi();
  await aProject(api.db.pool);
  const input = {
    name: 'nightly',
    kind: 'schedule',
    project: 'p',
    settings: { cron: '0 3 * * *', title: 'Tidy' },
  };
  const { body: seen } = await api.send('admin', 'POST', SOURCES, input);
  const patch = async (body: object, role: 'admin' | 'operator' = 'admin', name = 'nightly') =>
    await api.send(role, 'PATCH', `${SOURCES}/${name}`, { version: seen.version, ...body });
  const same = await patch({ trust: { ...seen.trust, perHour: 60 } });
  assert.equal(same.body.version, seen.version);
  const changed = await patch({ settings: { cron: '0 4 * * *', title: 'Tidy' }, secret: 'new' });
  assert.equal(changed.status, 200);
  assert.partialDeepStrictEqual(changed.body, {
    project: 'p',
    settings: { cron: '0 4 * * *', timeZone: 'UTC' },
  });
  const late = await patch({ settings: { cron: '0 5 * * *', title: 'Tidy' }, secret: 'late' });
  assert.deepEqual([late.status, late.body.error.code], [409, 'ERR_CONFLICT']);
  const { body: now } = await api.send('viewer', 'GET', `${SOURCES}/nightly`);
  assert.equal(now.settings.cron, '0 4 * * *');
  assert.equal((await api.send('admin', 'POST', '/api/v1/secrets/intake-nightly/reveal')).body.value, 'new');

  const bad = await patch({ version: now.version, settings: { cron: 'never', title: 7 } });
  assert.equal(bad.status, 400);
  assert.deepEqual(
    bad.body.error.details.map(({ path }: { path: string }) => path),
    ['settings.cron', 'settings.title'],
  );
  const unkept = { cron: '0 3 * * *', title: 'a\0b' };
  assert.equal((await patch({ version: now.version, settings: unkept })).status, 400);
  assert.equal((await patch({ version: now.version, project: null })).status, 400); // a schedule needs one
  assert.equal((await patch({}, 'operator')).status, 403);
  assert.equal((await patch({}, 'admin', 'none')).status, 404);
});

test('a source that is sent elsewhere begins anew there, and goes on where it was after any other change', async () => {
  await using api = await testApi();
  const { pool } = api.db;
  const settings = { forge: 'a.example' };
  let { body: seen } = await api.send('admin', 'POST', SOURCES, { name: 'work', kind: 'forge', settings });
  await pool.query(`update intake_source set cursor = '"far"', looked_at = now(), trouble = 'away'`);
  const change = async (to: object) => {
    const body = { version: seen.version, settings: to };
    ({ body: seen } = await api.send('admin', 'PATCH', `${SOURCES}/work`, body));
    const { rows } = await pool.query('select cursor, looked_at is null as anew, trouble from intake_source');
    return rows[0];
  };
  const kept = await change({ forge: 'a.example', mention: '@us' });
  assert.deepEqual(kept, { cursor: 'far', anew: false, trouble: 'away' });
  assert.deepEqual(await change({ forge: 'b.example' }), { cursor: null, anew: true, trouble: null });
});
