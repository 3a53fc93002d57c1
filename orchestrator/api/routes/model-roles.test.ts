import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginTest, endTest, noteChecks } from '../../models/conformance/results.ts';
import { testApi } from '../testing.ts';

const ENGINE = `models.engines=${JSON.stringify([
  {
    kind: 'upstream',
    name: 'gpu',
    url: 'http://127.0.0.1:9',
    models: [{ name: 'small' }, { name: 'large' }],
  },
])}`;

test('a role is given by admins to tested models, and shown with where it comes from', async () => {
  await using api = await testApi([ENGINE, 'models.roles.coder=[gpu/large]']);
  const put = async (role: 'operator' | 'admin', body: object) =>
    await api.send(role, 'PUT', '/api/v1/model-roles/coder', body);
  assert.equal((await put('operator', { models: ['gpu/small'] })).status, 403);
  const refused = await put('admin', { models: ['gpu/small'] });
  assert.deepEqual([refused.status, refused.body.error.code], [422, 'ERR_MODEL_UNSUITED']);
  const { id } = await beginTest(api.db.pool, 'gpu/small', 'codex');
  await noteChecks(api.db.pool, id, [{ name: 'tool-call', passed: true, detail: 'calls' }]);
  await endTest(api.db.pool, id);
  const given = { role: 'coder', models: ['gpu/small'], source: 'set' };
  assert.deepEqual((await put('admin', { models: ['small'] })).body, given);
  const roles = (await api.send('viewer', 'GET', '/api/v1/model-roles')).body;
  assert.deepEqual(roles[0], given);
  assert.deepEqual(roles[3], { role: 'embedding', models: [], source: 'catalogue' });
  const models = (await api.send('viewer', 'GET', '/api/v1/models')).body;
  assert.deepEqual(models.find(({ name }: { name: string }) => name === 'gpu/small').roles, ['coder']);
  const back = await api.send('admin', 'DELETE', '/api/v1/model-roles/coder');
  assert.deepEqual(back.body, { role: 'coder', models: ['gpu/large'], source: 'configuration' });
});

test('a test that cannot begin is refused; those that were made are listed, the newest first', async () => {
  await using api = await testApi([ENGINE]);
  const start = async (body: object) => await api.send('operator', 'POST', '/api/v1/model-tests', body);
  assert.equal((await start({ model: 'gone' })).body.error.code, 'ERR_MODEL_UNKNOWN');
  assert.equal((await start({ model: 'small', agent: 'nobody' })).body.error.code, 'ERR_AGENT_UNKNOWN');
  for (const model of ['gpu/small', 'gpu/large']) await beginTest(api.db.pool, model, 'codex');
  const list = async (query: string) => (await api.send('viewer', 'GET', `/api/v1/model-tests${query}`)).body;
  const names = (await list('')).map(({ model, state }: { model: string; state: string }) => [model, state]);
  assert.deepEqual(names, [
    ['gpu/large', 'running'],
    ['gpu/small', 'running'],
  ]);
  assert.equal((await list('?model=gpu/small')).length, 1);
});
