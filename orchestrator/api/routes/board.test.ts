// The routes of the board: what they take from an address, and what they refuse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApi } from '../testing.ts';

test('the board, its cards and the preview of a task are read by addresses alone', async () => {
  await using api = await testApi();
  const project = { name: 'p', trusted: true, agent: 'command', agentCommand: ['true'] };
  assert.equal((await api.send('admin', 'POST', '/api/v1/projects', project)).status, 201);
  const { body: task } = await api.send('operator', 'POST', '/api/v1/tasks', { project: 'p', title: 'x' });
  const get = async (url: string) => await api.send('viewer', 'GET', `/api/v1${url}`);
  const { body: board } = await get('/board');
  assert.deepEqual(
    board.columns.map(({ column, count }: { column: string; count: number }) => `${column} ${count}`),
    ['waiting 0', 'queued 1', 'running 0', 'review 0', 'done 0', 'failed 0'],
  );
  assert.deepEqual((await get('/board?cards=0')).body.columns[1].cards, []);
  const { body: named } = await get(`/board?ids=${task.id},99`);
  assert.deepEqual([named.columns[1].count, named.columns[1].cards[0].id], [1, task.id]);
  assert.deepEqual((await get('/board?ids=99')).body.columns[1].cards, []);
  assert.equal((await get(`/cards?column=queued&ids=${task.id},99`)).body[0].id, task.id);
  assert.deepEqual((await get('/cards?column=queued&before=99')).body, []);
  const preview = await get('/task-preview?project=p&approvePlan=true');
  assert.deepEqual(
    [preview.body.agent, preview.body.before, preview.body.waits[0].for],
    ['command', 1, 'approval'],
  );
  assert.equal((await get('/task-preview?project=none')).status, 404);
  for (const wrong of [
    '/cards?ids=1,x',
    '/cards?ids=',
    '/board?ids=x',
    '/board?text=%00',
    '/board?cards=1e9',
    '/task-preview?project=p&priority=1000',
  ])
    assert.equal((await get(wrong)).status, 400, wrong);
});
