import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aProject, aTask, aWorker, claim } from '../../tasks/testing/work.ts';
import { testApi } from '../testing.ts';

test('a drain by the API: the configured deadline, others on request, and an end', async () => {
  await using api = await testApi(['drain.deadlineMinutes=10', 'drain.atDeadline=cancel']);
  const off = await api.send('viewer', 'GET', '/api/v1/drain');
  assert.deepEqual([off.body.state, off.body.runs, off.body.begunAt], ['off', [], null]);
  await aProject(api.db.pool);
  await aWorker(api.db.pool);
  await aTask(api.db.pool);
  await claim(api.db.pool);
  const { status, body } = await api.send('admin', 'PUT', '/api/v1/drain', { reason: 'new disks' });
  assert.deepEqual(
    [status, body.state, body.atDeadline, body.reason],
    [200, 'draining', 'cancel', 'new disks'],
  );
  assert.equal(Math.round((Date.parse(body.deadline) - Date.parse(body.begunAt)) / 60_000), 10);
  assert.deepEqual(body.runs, [{ run: '1-1', state: 'leased', worker: 'w' }]);
  const again = await api.send('admin', 'PUT', '/api/v1/drain', { deadlineMinutes: 1, atDeadline: 'stop' });
  assert.deepEqual(
    [again.body.atDeadline, again.body.begunAt, again.body.reason],
    ['stop', body.begunAt, 'new disks'],
  );
  for (const wrong of [{ deadlineMinutes: 0 }, { atDeadline: 'explode' }, { reason: '' }, { what: 1 }])
    assert.equal((await api.send('admin', 'PUT', '/api/v1/drain', wrong)).status, 400);
  assert.equal((await api.send('operator', 'PUT', '/api/v1/drain', {})).status, 403);
  assert.equal((await api.send('admin', 'DELETE', '/api/v1/drain')).body.state, 'off');
});

test('an explanation and dead letters by the API', async () => {
  await using api = await testApi();
  await aProject(api.db.pool);
  await aTask(api.db.pool);
  const { body } = await api.send('viewer', 'GET', '/api/v1/tasks/1/explanation');
  assert.deepEqual([body.task, body.state, body.place, body.waits[0].for], [1, 'queued', 1, 'worker']);
  assert.equal((await api.send('viewer', 'GET', '/api/v1/tasks/2/explanation')).status, 404);
  await api.db.pool.query(`update task set state = 'failed', reason = 'no', finished_at = now()`);
  const letters = await api.send('viewer', 'GET', '/api/v1/dead-letters?project=p');
  assert.deepEqual(
    letters.body.map((letter: { task: number; why: string }) => [letter.task, letter.why]),
    [[1, 'refused']],
  );
  assert.equal((await api.send('viewer', 'GET', '/api/v1/dead-letters?project=none')).status, 404);
});
