import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aProject, aTask, fakeApi, runCli } from './testing/run-cli.ts';

test('calls and tokens of a run are bounded for a project and for a task, in numbers as people write them', async () => {
  await using api = await fakeApi({
    'PATCH /projects/shop': { body: aProject({ limits: { maxCalls: 400, maxTokens: 40_000_000 } }) },
    'POST /tasks': { status: 201, body: aTask() },
  });
  const bounds = ['--max-calls', '400', '--max-tokens', '2.5M', '--url', api.url];
  const set = await runCli(['project', 'set', 'shop', ...bounds]);
  assert.equal(set.code, 0, set.stderr);
  assert.match(set.stdout, /max ?calls 400/i);
  assert.equal((await runCli(['task', 'add', 'Fix it', '-p', 'shop', ...bounds])).code, 0);
  const sent = api.requests.map(({ body }) => (body as { limits: object }).limits);
  assert.deepEqual(sent, [
    { maxCalls: 400, maxTokens: 2_500_000 },
    { maxCalls: 400, maxTokens: 2_500_000 },
  ]);
  const wrong = await runCli(['project', 'set', 'shop', '--max-tokens', 'many', '--url', api.url]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /"many" is no number of tokens: write it as 900, 250k or 40M/);
});
