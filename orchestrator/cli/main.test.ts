import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { aProject, aTask, fakeApi, runCli } from './testing/run-cli.ts';

const directory = mkdtempSync(join(tmpdir(), 'autocode-cli-'));
after(() => rmSync(directory, { recursive: true }));
const nowhere = { AUTOCODE_DATA_DIR: join(directory, 'data') };

test('words that are no command, option or number are told with a way out, and exit with 2', async () => {
  const table: [string[], RegExp, RegExp][] = [
    [[], /Say what to do/, /autocode --help/],
    [['taks', 'list'], /did you mean "task"\?/, /autocode --help/],
    [
      ['task'],
      /add, list, show, watch, logs, diff, send, approve, reject, set, cancel, retry/,
      /autocode task --help/,
    ],
    [['task', 'lst'], /did you mean "list"\?/, /autocode task --help/],
    [['task', 'add'], /It is not said what is to be done/, /--from-issue URL/],
    [['task', 'show', 'x'], /task must be a number/, /autocode task show --help/],
    [['task', 'list', '--bogus'], /Unknown argument: bogus/, /autocode task list --help/],
    [['task', 'list', '--state', 'gone'], /"queued", "running"/, /autocode task list --help/],
    [['demo', 'do it'], /the sample has its own task/, /--repo PATH/],
    [['demo', '--repo', '.', 'do it'], /No model is configured or named/, /--model-url/],
    [['demo', '--model', 'x'], /--model needs --model-url/, /autocode demo --help/],
    [
      ['task', 'diff', '1', '--stat', '--names'],
      /--stat and --names cannot go together/,
      /autocode task diff --help/,
    ],
  ];
  await Promise.all(
    table.map(async ([words, message, remedy]) => {
      const { code, stdout, stderr } = await runCli(words, { env: nowhere });
      assert.equal(stdout, '', words.join(' '));
      assert.match(stderr, message);
      assert.match(stderr, remedy);
      assert.equal(code, 2, words.join(' '));
    }),
  );
});

test('without a daemon every client verb says how to start one, also as JSON', async () => {
  const { code, stdout, stderr } = await runCli(['task', 'list', '--json'], { env: nowhere });
  assert.equal(code, 6);
  assert.equal(JSON.parse(stdout).error.code, 'ERR_DAEMON_NOT_RUNNING');
  assert.match(stderr, /autocode up --detach/);
});

test('an address at which nothing listens is told', async () => {
  const { code, stderr } = await runCli(['status'], { env: { AUTOCODE_URL: 'http://127.0.0.1:1' } });
  assert.equal(code, 6);
  assert.match(stderr, /No daemon answers at http:\/\/127\.0\.0\.1:1/);
});

test('a list is a whole, plain table when piped and an array with --json', async () => {
  const title = `A long title ${'x'.repeat(300)}`;
  await using api = await fakeApi({
    'GET /tasks': { body: [aTask({ title }), aTask({ id: 6, state: 'pending', pendingReason: 'retry' })] },
  });
  const env = { AUTOCODE_URL: api.url, AUTOCODE_TOKEN: 'ac_viewer_x' };
  const shown = await runCli(['task', 'list', '--state', 'queued', '--limit', '2'], { env });
  assert.equal(shown.code, 0);
  assert.ok(shown.stdout.includes(title));
  assert.match(shown.stdout, /pending \(retry\)/);
  assert.ok(!shown.stdout.includes('\u001b'));
  assert.deepEqual(api.requests[0], {
    line: 'GET /tasks?state=queued&limit=2',
    body: undefined,
    authorization: 'Bearer ac_viewer_x',
  });
  const json = await runCli(['task', 'list', '--json'], { env });
  assert.equal(JSON.parse(json.stdout).length, 2);
});

test("the API's error keeps its words, and its code decides the exit code", async () => {
  const refusal = (status: number, code: string) => ({
    status,
    body: { error: { code, message: `It is ${code}.`, remedy: 'Do that.' } },
  });
  await using api = await fakeApi({
    'POST /tasks/1/cancel': refusal(409, 'ERR_STATE'),
    'POST /tasks/2/cancel': refusal(403, 'ERR_FORBIDDEN'),
    'POST /tasks/4/cancel': { body: { id: 'no task' } },
    'POST /tasks/5/cancel': (_request, response) => response.writeHead(502).end('<html>'),
  });
  const cancel = async (task: number) =>
    await runCli(['task', 'cancel', String(task)], { env: { AUTOCODE_URL: api.url } });
  const results = await Promise.all([1, 2, 3, 4, 5].map(cancel));
  assert.deepEqual(
    results.map(({ code }) => code),
    [5, 4, 3, 6, 1],
  );
  assert.match(results[0]?.stderr ?? '', /It is ERR_STATE\. \[ERR_STATE\]\n {2}Do that\./);
  assert.match(results[3]?.stderr ?? '', /is not understood/);
  assert.match(results[4]?.stderr ?? '', /502/);
});

test('a task goes to the only project there is; of several one must be named', async () => {
  await using api = await fakeApi({
    'GET /projects': {
      body: [aProject(), aProject({ id: 4, name: 'old', archivedAt: '2026-11-20T10:00:00.000Z' })],
    },
    'POST /tasks': { status: 201, body: aTask() },
  });
  const env = { AUTOCODE_URL: api.url };
  const words = [
    'task',
    'add',
    'Fix it',
    '-F',
    '-',
    '--accept',
    'a',
    '--accept',
    'b',
    '--file',
    'src',
    '--priority',
    '-3',
  ];
  const { code, stdout } = await runCli(words, { env, input: 'the details\n' });
  assert.equal(code, 0);
  assert.match(stdout, /Task 7 is queued in shop/);
  const { body } = api.requests.at(-1)!;
  assert.deepEqual(body, {
    project: 'shop',
    title: 'Fix it',
    body: 'the details\n',
    acceptance: ['a', 'b'],
    targetFiles: ['src'],
    priority: -3,
    limits: {},
  });

  await using several = await fakeApi({
    'GET /projects': { body: [aProject(), aProject({ id: 4, name: 'site' })] },
  });
  const refused = await runCli(['task', 'add', 'Fix it'], { env: { AUTOCODE_URL: several.url } });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /--project: shop, site/);
});

test('a project is named after its repository, and verify commands are left to the daemon unless given', async () => {
  await using api = await fakeApi({ 'POST /projects': { status: 201, body: aProject() } });
  const env = { AUTOCODE_URL: api.url };
  await runCli(['project', 'add', 'https://git.example.com/team/My.Shop.git', '--trusted'], { env });
  await runCli(
    [
      'project',
      'add',
      '.',
      '--name',
      'x',
      '--verify',
      'lint=npm run lint',
      '--verify',
      'make test',
      '--agent-command',
      '["a b", "c"]',
    ],
    { env },
  );
  assert.deepEqual(api.requests[0]?.body, {
    name: 'my.shop',
    repositories: [{ origin: 'https://git.example.com/team/My.Shop.git', allowDirty: false }],
    trusted: true,
  });
  assert.deepEqual(api.requests[1]?.body, {
    name: 'x',
    repositories: [{ origin: process.cwd(), allowDirty: false }],
    agentCommand: ['a b', 'c'],
    verify: [
      { name: 'lint', command: 'npm run lint' },
      { name: 'make test', command: 'make test' },
    ],
  });
});

test('a reader that has had enough ends the CLI quietly', async () => {
  await using api = await fakeApi({
    'GET /events': (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = {
        id: '1-1',
        at: '2026-11-20T10:00:00.000Z',
        kind: 'task.created',
        project: 1,
        task: 1,
        run: null,
        data: {},
      };
      const timer = setInterval(
        () => response.write(`id: 1-1\nevent: task.created\ndata: ${JSON.stringify(event)}\n\n`),
        2,
      );
      response.on('close', () => clearInterval(timer));
    },
  });
  const entry = join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, [entry, 'events', '--follow', '--url', api.url], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = (await once(child, 'exit')) as [number | null];
  assert.equal(code, 0);
  assert.equal(stderr, '');
});

test('help loads no schema, a client verb no server', async () => {
  const hook = join(directory, 'loaded.mjs');
  writeFileSync(
    hook,
    `import { registerHooks } from 'node:module';
     const seen = new Set();
     registerHooks({ load(url, context, next) { seen.add(/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? ''); return next(url, context); } });
     process.on('exit', () => process.stderr.write('LOADED ' + [...seen].sort().join(' ') + '\\n'));`,
  );
  const loaded = async (words: string[], env: Record<string, string>) =>
    /LOADED (.*)/.exec((await runCli(words, { env, node: ['--import', hook] })).stderr)?.[1]?.split(' ') ??
    [];
  assert.ok(!(await loaded(['task', '--help'], nowhere)).includes('zod'));
  await using api = await fakeApi({ 'GET /tasks': { body: [] } });
  const client = await loaded(['task', 'list'], { AUTOCODE_URL: api.url });
  assert.ok(client.includes('zod'));
  assert.deepEqual(
    client.filter((name) => /^(pg|fastify|winston|got|undici|execa|age-encryption)$/.test(name)),
    [],
  );
});
