import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { aTask, fakeApi, runCli } from '../testing/run-cli.ts';

const AT = '2026-11-20T10:00:05.000Z';

function stream(response: ServerResponse, messages: { id: string; event?: string; data: unknown }[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const { id, event = 'log', data } of messages) {
    response.write(
      `id: ${id}\nevent: ${event}\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`,
    );
  }
}

const happened = (id: number, kind: string, data: object, run: string | null = null) => ({
  id: `1-${id}`,
  event: kind,
  data: { id: `1-${id}`, at: AT, kind, project: 1, task: 7, run, data },
});
const step = (t: number, name: string, status: string, more: object = {}) =>
  JSON.stringify({ t, type: 'step', step: name, status, ...more });

const LOG = [
  step(1000, 'plan', 'started'),
  JSON.stringify({ t: 1001, type: 'message', role: 'agent', text: '{"summary":"raw plan"}' }),
  step(1500, 'plan', 'ended'),
  step(1500, 'execute', 'started'),
  JSON.stringify({ t: 1501, type: 'message', role: 'thought', text: 'hmm' }),
  JSON.stringify({ t: 1501, type: 'message', role: 'agent', text: 'I mend it.\u001b[2J' }),
  JSON.stringify({
    t: 1502,
    type: 'tool_call',
    id: 'a',
    title: 'Edit',
    kind: 'edit',
    status: 'pending',
    paths: ['src/date.js'],
  }),
  JSON.stringify({
    t: 1503,
    type: 'tool_call',
    id: 'a',
    title: 'Edit',
    kind: 'edit',
    status: 'completed',
    paths: ['src/date.js'],
  }),
  JSON.stringify({ t: 1504, type: 'of a later version', what: 1 }),
  step(3500, 'execute', 'ended'),
  step(3500, 'verify', 'started', { iteration: 1 }),
  JSON.stringify({
    t: 3600,
    type: 'output',
    source: 'verify:test',
    text: 'not ok 1 - dates\n    at frame (file.js:1:1)\n',
  }),
  step(4000, 'verify', 'failed', { iteration: 1, detail: 'test failed' }),
];

const plan = { summary: 'Mend the date', steps: [{ title: 'Read', status: 'pending' }] };

async function apiOf(outcome: 'completed' | 'failed') {
  const ended = aTask({
    state: outcome,
    attempt: 1,
    finishedAt: AT,
    changes: outcome === 'completed' ? [3] : [],
    reason: 'So it is.',
  });
  let asked = 0;
  return await fakeApi({
    'GET /tasks/7': (_request, response) =>
      void response.end(
        JSON.stringify(asked++ === 0 ? aTask({ state: 'running', attempt: 1, currentRun: '7-1' }) : ended),
      ),
    'GET /events': (_request, response) =>
      stream(response, [
        happened(1, 'task.state', { to: 'queued' }),
        happened(2, 'run.created', {}, '7-1'),
        happened(3, 'run.plan', { plan }, '7-1'),
        happened(4, 'task.state', { from: 'running', to: outcome, reason: 'So it is.' }),
      ]),
    'GET /runs/7-1/logs/events': (_request, response) => {
      stream(response, [
        { id: '900', data: LOG.join('\ndata: ') },
        { id: '900', event: 'end', data: '' },
      ]);
      response.end();
    },
  });
}

test('watching shows steps with their times, what the agent did and what failed, and exits by the outcome', async () => {
  await using api = await apiOf('completed');
  const { code, stdout, stderr } = await runCli(['task', 'watch', '7'], { env: { AUTOCODE_URL: api.url } });
  assert.equal(code, 0, stderr);
  const expected = [
    'Run 7-1',
    '    plan Mend the date',
    '      1. Read',
    '  ✓ plan  500 ms',
    '    │ I mend it.',
    '    → Edit src/date.js',
    '  ✓ execute  2.0 s',
    '  ✗ verify – test failed  500 ms',
    '    not ok 1 - dates',
    'Task 7 completed – So it is. See `autocode change show 3`.',
  ];
  const lines = stdout.split('\n');
  for (const line of expected) assert.ok(lines.includes(line), `${line}\nis not in\n${stdout}`);
  for (const hidden of ['raw plan', 'hmm', 'frame', '\u001b']) assert.ok(!stdout.includes(hidden), hidden);
});

test('a task that failed ends the watch with 1; --json is one document a line', async () => {
  await using api = await apiOf('failed');
  const { code, stdout } = await runCli(['task', 'watch', '7', '--json'], { env: { AUTOCODE_URL: api.url } });
  assert.equal(code, 1);
  const news = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(news.length, 4 + LOG.length - 1 + 1);
  assert.deepEqual([news.at(-1).type, news.at(-1).task.state], ['ended', 'failed']);
});

test('a task that ended before is told from its last log, without waiting for events', async () => {
  const ended = aTask({ state: 'failed', attempt: 2, finishedAt: AT, reason: 'It could not.' });
  await using api = await fakeApi({
    'GET /tasks/7': { body: ended },
    'GET /runs/7-2/logs/events': (_request, response) => {
      stream(response, [
        { id: '1', data: step(1, 'execute', 'failed', { detail: 'no model' }) },
        { id: '1', event: 'end', data: '' },
      ]);
      response.end();
    },
  });
  const { code, stdout } = await runCli(['task', 'watch', '7'], { env: { AUTOCODE_URL: api.url } });
  assert.equal(code, 1);
  assert.match(stdout, /✗ execute – no model/);
  assert.match(stdout, /Task 7 failed – It could not\. See `autocode task logs 7`\./);
});
