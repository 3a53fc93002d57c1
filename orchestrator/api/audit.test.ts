import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApi } from './testing.ts';

test('a change is recorded with who, what and what came of it; so is one that is refused, without what was sent', async () => {
  await using api = await testApi();
  await api.send('operator', 'POST', '/api/v1/tasks', { project: 'none', title: 'swordfish' });
  await api.send('viewer', 'POST', '/api/v1/tasks/7/cancel');
  await api.send('admin', 'POST', '/api/v1/tokens', { name: 'ci', role: 'viewer' });
  await api.send('admin', 'GET', '/api/v1/tokens');
  await api.send(null, 'POST', '/api/v1/session', { name: 'nobody', password: 'swordfish' });
  await api.send(null, 'POST', '/api/v1/tasks', { project: 'none', title: 'swordfish' });
  const { body } = await api.send('admin', 'GET', '/api/v1/audit-records');
  const told = body.map((each: Record<string, unknown>) => [
    each.actor,
    each.role,
    each.route,
    each.target,
    each.project,
    each.status,
    each.code,
  ]);
  assert.deepEqual(told, [
    [null, null, '/api/v1/session', {}, null, 401, 'ERR_UNAUTHENTICATED'],
    ['admin', 'admin', '/api/v1/tokens', { made: '4' }, null, 201, null],
    ['viewer', 'viewer', '/api/v1/tasks/:task/cancel', { task: '7' }, null, 403, 'ERR_FORBIDDEN'],
    ['operator', 'operator', '/api/v1/tasks', {}, 'none', 404, 'ERR_NOT_FOUND'],
  ]);
  const { rows } = await api.db.pool.query('select * from audit_record');
  assert.ok(!JSON.stringify(rows).includes('swordfish'));
  assert.equal((await api.send('operator', 'GET', '/api/v1/audit-records')).status, 403);
  const refused = await api.send('admin', 'GET', '/api/v1/audit-records?actor=viewer&refused=true');
  assert.equal(refused.body.length, 1);
});

test('who has signed in is recorded with it', async () => {
  await using api = await testApi();
  const made = await api.send('admin', 'POST', '/api/v1/people', { name: 'ann', role: 'operator' });
  const welcome = { code: made.body.link.url.split('/').at(-1), password: 'long enough to be one' };
  const { session } = (await api.send(null, 'POST', '/api/v1/welcomes', welcome)).body;
  const { body } = await api.send('admin', 'GET', '/api/v1/audit-records');
  assert.deepEqual(
    [body[0].actor, body[0].role, body[0].session, body[0].status],
    ['ann', 'operator', session, 200],
  );
  assert.deepEqual([body[1].actor, body[1].target], ['admin', { made: 'ann' }]);
});

test('a change of which the outcome is not known stays recorded, and no change is made that cannot be recorded', async () => {
  await using api = await testApi();
  await api.db.pool.query(`alter table audit_record rename to audit_away`);
  const refused = await api.send('admin', 'POST', '/api/v1/tokens', { name: 'ci', role: 'viewer' });
  assert.equal(refused.status, 500);
  await api.db.pool.query(`alter table audit_away rename to audit_record`);
  const { body } = await api.send('admin', 'GET', '/api/v1/tokens');
  assert.ok(!body.some(({ name }: { name: string }) => name === 'ci'));
});

test('numbers and names in addresses are recorded as they can be kept', async () => {
  await using api = await testApi();
  await api.send('admin', 'DELETE', `/api/v1/projects/${'x'.repeat(300)}`);
  await api.send('admin', 'DELETE', '/api/v1/projects/%00');
  const { body } = await api.send('admin', 'GET', '/api/v1/audit-records');
  assert.deepEqual(
    body.map(({ target, status }: { target: { project: string }; status: number }) => [
      target.project.length,
      status,
    ]),
    [
      [0, 400],
      [200, 400],
    ],
  );
});
