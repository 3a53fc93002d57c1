import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scenario } from '../../../protocol/scenario.ts';
import { addProject } from '../../intake/testing.ts';
import { testApi } from '../testing.ts';

test('what happened is given as a scenario, whatever time is named', async () => {
  await using api = await testApi();
  await addProject(api.db.pool, 'shop');
  const given = await api.send('operator', 'POST', '/api/v1/tasks', {
    project: 'shop',
    title: 'a secret wish',
  });
  assert.equal(given.status, 201, given.text);
  for (const since of ['0000-01-01T00:00:00Z', new Date(Date.now() - 86_400_000).toISOString()]) {
    const { status, text } = await api.send('admin', 'GET', `/api/v1/scenario?since=${since}`);
    assert.equal(status, 200, text);
    assert.doesNotMatch(text, /secret|shop/);
    const { arrivals, projects } = Scenario.parse(JSON.parse(text));
    assert.equal(projects.length, 1);
    assert.deepEqual(arrivals[0]?.task?.project, projects[0]?.name);
  }
  assert.equal((await api.send('admin', 'GET', '/api/v1/scenario?since=yesterday')).status, 400);
  assert.equal((await api.send('viewer', 'GET', '/api/v1/scenario?since=2026-01-01T00:00:00Z')).status, 403);
});
