import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { aTask, fakeApi, runCli } from '../testing/run-cli.ts';

const AT = '2026-11-20T10:00:05.000Z';
const MESSAGE = { number: 3, author: 'ann', text: 'so', at: AT, run: null, deliveredAt: null };
const directory = mkdtempSync(path.join(tmpdir(), 'autocode-steer-'));
after(() => rmSync(directory, { recursive: true }));

function file(text: string): string {
  const where = path.join(directory, 'plan.json');
  writeFileSync(where, text);
  return where;
}

test('a message is taken from stdin too, and it is told who gets it', async () => {
  await using api = await fakeApi({
    'POST /tasks/7/messages': { status: 201, body: MESSAGE },
    'GET /tasks/7': { body: aTask({ state: 'running', attempt: 2, currentRun: '7-2' }) },
  });
  const env = { AUTOCODE_URL: api.url };
  const { code, stdout } = await runCli(['task', 'send', '7', '-'], { env, input: 'from a file\n' });
  assert.equal(code, 0);
  assert.match(stdout, /^Message 3 to task 7 is sent\. Run 7-2 gets it;/);
  assert.deepEqual(api.requests[0]?.body, { text: 'from a file\n' });
});

test('a plan is approved as it is, or as a file says: as `task show --json` gives it, or with plain steps', async () => {
  await using api = await fakeApi({ 'POST /tasks/7/approve': { body: aTask({ state: 'queued' }) } });
  const env = { AUTOCODE_URL: api.url };
  const { stdout } = await runCli(['task', 'approve', '7'], { env });
  assert.match(stdout, /^Its plan is approved; task 7 is queued\./);
  const shown = '{"summary": "s", "steps": [{"title": "a", "status": "pending"}]}';
  await runCli(['task', 'approve', '7', '--edit', file(shown)], { env });
  await runCli(['task', 'approve', '7', '--edit', file('{"steps": ["b", "c"]}')], { env });
  assert.deepEqual(
    api.requests.map(({ body }) => body),
    [{}, { summary: 's', steps: ['a'] }, { steps: ['b', 'c'] }],
  );
});

test('what is no plan is refused before anything is asked for, with the shape that is', async () => {
  for (const text of ['no json', '{"steps": []}', '[]']) {
    const { code, stderr } = await runCli(['task', 'approve', '7', '--edit', file(text)], {
      env: { AUTOCODE_URL: 'http://127.0.0.1:9' },
    });
    assert.equal(code, 2, text);
    assert.match(stderr, /is no plan: [\s\S]*Write it as \{"summary"/);
  }
});

test('watching a task tells that its plan waits, and what may be done about it', async () => {
  const happened = (id: number, kind: string, data: object, run: string | null = null) =>
    `id: 1-${id}\nevent: ${kind}\ndata: ${JSON.stringify({ id: `1-${id}`, at: AT, kind, project: 1, task: 7, run, data })}\n\n`;
  let asked = 0;
  await using api = await fakeApi({
    'GET /tasks/7': (_request, response) =>
      void response.end(
        JSON.stringify(
          asked++ === 0
            ? aTask({ state: 'pending', pendingReason: 'approval', attempt: 1 })
            : aTask({ state: 'cancelled', attempt: 1, finishedAt: AT }),
        ),
      ),
    'GET /events': (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(happened(1, 'task.message', { number: 1, author: 'ann', text: 'mind the tabs' }));
      response.write(happened(2, 'task.message', { numbers: [1] }, '7-1'));
      response.write(
        happened(3, 'task.state', { from: 'running', to: 'pending', pendingReason: 'approval' }),
      );
      response.write(happened(4, 'task.state', { from: 'pending', to: 'cancelled' }));
    },
  });
  const { code, stdout } = await runCli(['task', 'watch', '7'], { env: { AUTOCODE_URL: api.url } });
  assert.equal(code, 1);
  for (const line of ['ann: mind the tabs', 'delivered to the agent of run 7-1', 'autocode task approve 7'])
    assert.ok(stdout.includes(line), `${line} is not in\n${stdout}`);
});
