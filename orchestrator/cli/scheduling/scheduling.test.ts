import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { DeadLetter, Drain, Explanation } from '../../../protocol/scheduling.ts';
import { fakeApi, runCli } from '../testing/run-cli.ts';

const AT = '2026-11-20T10:00:00.000Z';
const DRAIN: Drain = {
  state: 'draining',
  requested: true,
  flagged: false,
  reason: 'new disks',
  begunBy: 'ann',
  begunAt: AT,
  deadline: AT,
  atDeadline: 'cancel',
  overdueAt: null,
  drainedAt: null,
  trouble: null,
  runs: [{ run: '7-1', state: 'working', worker: 'w' }],
  waiting: 3,
};
const DRAINED: Drain = { ...DRAIN, state: 'drained', drainedAt: AT, runs: [] };
const OFF: Drain = { ...DRAIN, state: 'off', requested: false, begunBy: null, begunAt: null, runs: [] };

/** Gives one answer after the other, the last one again and again. */
function inTurn(...answers: object[]) {
  return (_: unknown, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answers.length > 1 ? answers.shift() : answers[0]));
  };
}

const start = async (url: string, ...words: string[]) =>
  await runCli(['drain', 'start', ...words], { env: { AUTOCODE_URL: url } });

test('drain start sends what was asked for and shows which runs are active', async () => {
  await using api = await fakeApi({ 'PUT /drain': { body: DRAIN } });
  const { code, stdout } = await start(
    api.url,
    '--reason',
    'new disks',
    '--deadline',
    '30',
    '--then',
    'cancel',
  );
  assert.equal(code, 0);
  assert.deepEqual(api.requests[0]?.body, {
    reason: 'new disks',
    deadlineMinutes: 30,
    atDeadline: 'cancel',
  });
  assert.match(stdout, /draining: no run begins[^]*then cancel[^]*3 tasks[^]*7-1 +working +w/);
});

test('drain start --wait tells what it waits for and returns when nothing is active', async () => {
  await using api = await fakeApi({
    'PUT /drain': { body: DRAIN },
    'GET /drain': inTurn(DRAIN, DRAINED),
  });
  const { code, stdout, stderr } = await start(api.url, '--wait');
  assert.equal(code, 0);
  assert.equal(stderr, 'Waiting for 7-1 (working).\n');
  assert.match(stdout, /drained: no run begins, and none is active/);
});

test('drain start --wait fails when somebody ends the drain, and when the daemon ends at the deadline', async () => {
  {
    await using api = await fakeApi({ 'PUT /drain': { body: DRAIN }, 'GET /drain': { body: OFF } });
    const { code, stderr } = await start(api.url, '--wait');
    assert.equal(code, 1);
    assert.match(stderr, /Somebody has ended the drain/);
  }
  await using api = await fakeApi({
    'PUT /drain': { body: { ...DRAIN, atDeadline: 'stop' } },
    'GET /drain': (request) => void request.socket.destroy(),
  });
  const { code, stderr } = await start(api.url, '--wait');
  assert.equal(code, 1);
  assert.match(stderr, /The daemon has ended; runs that were active go on without it/);
});

test('drain stop says when the flag file still asks for the drain', async () => {
  await using api = await fakeApi({ 'DELETE /drain': { body: { ...DRAIN, flagged: true } } });
  const { stdout } = await runCli(['drain', 'stop'], { env: { AUTOCODE_URL: api.url } });
  assert.match(stdout, /The flag file still asks for the drain/);
});

test('an explanation has a paragraph for each thing that a task waits for', async () => {
  const body: Explanation = {
    task: 12,
    state: 'queued',
    pendingReason: null,
    summary: 'It waits for room on a worker.',
    waits: [{ for: 'room', why: 'All are full.', remedy: 'Wait.', tasks: [3, 4] }],
    place: 3,
  };
  await using api = await fakeApi({ 'GET /tasks/12/explanation': { body } });
  const { stdout } = await runCli(['schedule', 'explain', '12'], { env: { AUTOCODE_URL: api.url } });
  assert.match(
    stdout,
    /task 12 +It waits for room[^]*3 in the queue\n\nroom +All are full\.\n +Wait\.\n.*3, 4/,
  );
});

test('dead letters are a table with why they were given up, and how to go on', async () => {
  const letter: DeadLetter = {
    task: 7,
    project: 'shop',
    title: 'Fix it',
    run: '7-2',
    why: 'retries-used-up',
    cause: 'agent',
    retries: { agent: 1 },
    reason: 'tests fail',
    finishedAt: AT,
  };
  await using api = await fakeApi({ 'GET /dead-letters': { body: [letter] } });
  const env = { AUTOCODE_URL: api.url };
  const { stdout } = await runCli(['task', 'dead-letters', '-p', 'shop'], { env });
  assert.match(stdout, /7 +shop +Fix it +retries used up \(agent: 1\) .* tests fail/);
  assert.match(stdout, /autocode task retry 7/);
  assert.match(api.requests[0]!.line, /project=shop/);
});
