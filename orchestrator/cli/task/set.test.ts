import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aTask, fakeApi, runCli } from '../testing/run-cli.ts';

test('what is named is sent, limits together, and nothing else', async () => {
  await using api = await fakeApi({ 'PATCH /tasks/7': { body: aTask({ priority: 5 }) } });
  const env = { AUTOCODE_URL: api.url };
  const words = ['task', 'set', '7', '--priority', '5', '--accept', 'fast', '--deadline', '30'];
  const { code, stdout } = await runCli(words, { env });
  assert.equal(code, 0);
  assert.match(stdout, /Task \d+ is changed\./);
  assert.deepEqual(api.requests[0]?.body, {
    acceptance: ['fast'],
    priority: 5,
    limits: { deadlineMinutes: 30 },
  });
});

test('a priority below zero is one, and nothing to change is told', async () => {
  await using api = await fakeApi({ 'PATCH /tasks/7': { body: aTask({ priority: -5 }) } });
  const env = { AUTOCODE_URL: api.url };
  assert.equal((await runCli(['task', 'set', '7', '--priority', '-5'], { env })).code, 0);
  assert.deepEqual(api.requests[0]?.body, { priority: -5 });
  const { code, stderr } = await runCli(['task', 'set', '7'], { env });
  assert.equal(code, 2);
  assert.match(stderr, /not said what is to be changed/);
});
