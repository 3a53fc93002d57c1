// `autocode mcp` as editors use it: the protocol's own client drives the program on a whole appliance.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Client, type CallToolResult, type ClientOptions } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { startScriptedModel } from '../../worker-agent/agents/testing/scripted-model.ts';
import { eventually, makeRepository, processesOf, startAppliance } from './appliance.ts';
import { giveAgents, scriptedEngine } from './scripted.ts';

const AUTOCODE = path.join(import.meta.dirname, '../../autocode');
/** Longer than any wait here takes, on a machine with much else to do. */
const LONG = { seconds: 100 };
const PLAN = '{"summary": "Write it.", "steps": ["Write the answer"]}';

const model = await startScriptedModel(({ prompt, results }) => {
  if (prompt.includes('"steps"')) return { text: PLAN };
  if (results.length > 0) return { text: 'Done.' };
  const input = { command: 'echo 42 > answer', description: 'write', is_background: false };
  return { tool: 'run_shell_command', input };
});
const appliance = await startAppliance(
  scriptedEngine(model.url),
  'limits.retries.agent=0',
  'worker.concurrency=3',
);
after(async () => {
  await appliance[Symbol.asyncDispose]();
  await model.close();
});

const go = path.join(appliance.directory, 'go');
before(async () => {
  await appliance.project('shop', { agent: 'echo at work; echo 42 > answer; seq 20000 > numbers' });
  await appliance.project('slow', { agent: `until test -e ${go}; do sleep 0.05; done; echo 42 > answer` });
});

interface Editor extends AsyncDisposable {
  client: Client;
  pid: number;
  /** The tool's answer; fails where the tool does. */
  // The tests look into whatever came.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  call(name: string, input?: object, progress?: (message: string) => void): Promise<any>;
  /** What a tool that fails says. */
  refused(name: string, input?: object): Promise<string>;
}

/** A client with a program of its own; what it hears that is no message of the protocol fails the test. */
async function editor(
  words: string[] = [],
  options: ClientOptions = {},
  env: Record<string, string> = {},
): Promise<Editor> {
  const args = ['mcp', '--set', `dataDir=${appliance.dataDir}`, ...words];
  const environment = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', ...env };
  const transport = new StdioClientTransport({ command: AUTOCODE, args, env: environment });
  const client = new Client({ name: 'editor', version: '1' }, options);
  const strange: Error[] = [];
  client.onerror = (error) => strange.push(error);
  await client.connect(transport);
  await client.listTools(); // from here on the client checks each answer against the tool's schema
  const { pid } = transport;
  const call = async (name: string, input: object = {}, onprogress?: Parameters<Editor['call']>[2]) =>
    await client.callTool(
      { name, arguments: { ...input } },
      {
        timeout: 110_000,
        ...(onprogress === undefined ? {} : { onprogress: ({ message }) => onprogress(message ?? '') }),
      },
    );
  return {
    client,
    pid: pid!,
    async call(name, input, progress) {
      const result = await call(name, input, progress);
      assert.ok(result.isError !== true, textOf(result));
      return result.structuredContent;
    },
    async refused(name, input) {
      const result = await call(name, input);
      assert.equal(result.isError, true, textOf(result));
      return textOf(result);
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      assert.deepEqual(strange, []);
    },
  };
}

const textOf = ({ content }: CallToolResult) =>
  content.map((part) => (part.type === 'text' ? part.text : part.type)).join('\n');
const hasEnded = async (pid: number) =>
  await eventually(
    () => Promise.resolve(processesOf('mcp').includes(pid) ? undefined : true),
    `process ${pid} to end`,
    5_000,
  );

test('a task is given, followed and read; a long diff is cut at a line, and says so', async () => {
  await using ide = await editor(['--project', 'shop']);
  const input = { title: 'Make the answer right', idempotencyKey: 'answer' };
  const { task } = await ide.call('create_task', input);
  assert.equal((await ide.call('create_task', input)).task.id, task.id, 'the same key, the same task');
  const heard: string[] = [];
  const waited = await ide.call('wait_for_task', { task: task.id, ...LONG }, (message) =>
    heard.push(message),
  );
  assert.equal(waited.outcome, 'ended');
  assert.equal(waited.task.state, 'completed', waited.task.reason);
  assert.match(heard.join('\n'), /task \d+ is (queued|running|completed)/);
  const report = await ide.call('get_task', { task: task.id });
  assert.deepEqual(report.runs[0].checks, [{ name: 'test', base: 'failed', head: 'passed' }]);
  const [change] = await appliance.changes('shop');
  assert.equal(report.changes[0].branch, change?.branch);
  const diff = await ide.client.callTool({ name: 'get_diff', arguments: { task: task.id } });
  assert.match(textOf(diff), /\+42\n[\s\S]*\n\+\d+\n\n\(cut: the first \d+ of \d{6} characters/);
  assert.match((await ide.call('get_diff', { task: task.id, format: 'stat' })).text, /numbers\s+\| 20000/);
  const log = await ide.call('get_log', { task: task.id, lines: 400 });
  assert.match(log.text, /agent: at work/);
  assert.equal((await ide.call('get_log', { task: task.id, lines: 2 })).text.split('\n').length, 2);
  const { contents } = await ide.client.readResource({ uri: `autocode://runs/${log.run}/log` });
  assert.match(JSON.stringify(contents[0]), /agent: at work/);
  await assert.rejects(ide.client.readResource({ uri: 'autocode://tasks/999' }), /There is no task 999/);
});

test('a client of the newest revision of the protocol is served as well', async () => {
  await using ide = await editor([], { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  const heard: string[] = [];
  const { outcome, task } = await ide.call('wait_for_task', { task: 1 }, (message) => heard.push(message));
  assert.deepEqual([outcome, heard], ['ended', ['task 1 is completed']]);
  assert.equal((await ide.call('list_tasks', { state: 'completed', limit: 1 })).tasks[0].id, task.id);
  const { resources } = await ide.client.listResources();
  assert.ok(resources.some(({ uri }) => uri === 'autocode://tasks/1'));
  assert.match(await ide.refused('get_task', { task: 999 }), /There is no task 999/);
});

test('a plan waits for its answer: rejected it is made anew, approved the work is done', async () => {
  await giveAgents(appliance, 'qwen-coder');
  const repository = makeRepository(path.join(appliance.directory, 'gated'), {
    answer: '41\n',
  });
  await appliance.api('POST', '/projects', {
    name: 'gated',
    repository,
    agent: 'qwen-coder',
    trusted: true,
    isolation: 'directory',
    verify: [],
  });
  await using ide = await editor(['--project', 'gated']);
  const { task } = await ide.call('create_task', { title: 'Make it right', approvePlan: true });
  const first = await ide.call('wait_for_task', { task: task.id, ...LONG });
  assert.equal(first.outcome, 'approval');
  assert.deepEqual(first.task.plan.steps, [{ title: 'Write the answer', status: 'pending' }]);
  assert.equal(first.waits.waits[0].for, 'approval');
  await ide.call('reject_plan', { task: task.id, text: 'Say where' });
  const second = await ide.call('wait_for_task', { task: task.id, ...LONG });
  assert.deepEqual([second.outcome, second.task.attempt], ['approval', 2]);
  await ide.call('approve_plan', { task: task.id, steps: ['Write 42 into answer'] });
  const ended = await ide.call('wait_for_task', { task: task.id, ...LONG });
  assert.deepEqual([ended.outcome, ended.task.state], ['ended', 'completed'], ended.task.reason);
  assert.match(await ide.refused('approve_plan', { task: task.id }), /no plan that waits.*ERR_STATE\]\nSee/s);
});

test('a wait ends with its time or when it is taken back, and the task goes on until it is cancelled', async () => {
  await using ide = await editor(['--project', 'slow']);
  const { task } = await ide.call('create_task', { title: 'Take your time' });
  await eventually(
    async () => (await ide.call('get_task', { task: task.id })).runs[0]?.state === 'working' || undefined,
    'the agent to be at work',
  );
  assert.equal((await ide.call('wait_for_task', { task: task.id, seconds: 1 })).outcome, 'time-is-up');
  const taken = new AbortController();
  const waiting = ide.client.callTool(
    { name: 'wait_for_task', arguments: { task: task.id } },
    { signal: taken.signal, onprogress: () => taken.abort() },
  );
  await assert.rejects(waiting, /abort/i);
  assert.equal((await ide.call('send_message', { task: task.id, text: 'No hurry' })).message.number, 1);
  await ide.call('cancel_task', { task: task.id });
  assert.equal((await ide.call('wait_for_task', { task: task.id, ...LONG })).task.state, 'cancelled');
  writeFileSync(go, '');
  await ide.call('retry_task', { task: task.id });
  assert.equal((await ide.call('wait_for_task', { task: task.id, ...LONG })).task.state, 'completed');
});

test('what is wrong is said with what to do, and the next call is served', async () => {
  await using ide = await editor();
  const table: [string, object, RegExp][] = [
    [
      'create_task',
      { title: 'x' },
      /several projects\. \[ERR_INVALID_INPUT\]\nName one as `project`: .*shop/,
    ],
    ['create_task', { title: 'x', project: 'nowhere' }, /nowhere.*\[ERR_NOT_FOUND\]\n/],
    ['create_task', { title: '', project: 'shop' }, /title/],
    ['create_task', { title: 'x', project: 'shop', urgent: true }, /urgent/],
    ['get_task', { task: 999 }, /There is no task 999\. \[ERR_NOT_FOUND\]\n/],
    ['wait_for_task', { task: 999 }, /There is no task 999/],
    ['get_task', { task: '1' }, /expected number/],
    ['get_log', { task: 1, attempt: 9 }, /1-9.*\[ERR_NOT_FOUND\]/],
  ];
  for (const [name, input, said] of table) assert.match(await ide.refused(name, input), said);
  assert.ok((await ide.call('list_projects')).projects.length >= 2);
  await appliance.autocode('budget', 'set', 'project:shop', '--per', 'month', '--money', '5');
  const { budgets } = await ide.call('budget_left', { project: 'shop' });
  assert.deepEqual([budgets[0].subject, budgets[0].amount, budgets[0].left], ['shop', 5_000_000, 5_000_000]);
  assert.deepEqual((await ide.call('budget_left', { project: 'slow' })).budgets, []);
});

test('a token that is wrong or may only look is refused by name, and a daemon that is away is told', async () => {
  const made = await appliance.api<{ token: string }>('POST', '/tokens', { name: 'ann', role: 'viewer' });
  const viewer = await editor([], {}, { AUTOCODE_TOKEN: made.token });
  assert.ok((await viewer.call('list_tasks')).tasks.length > 0);
  assert.match(await viewer.refused('cancel_task', { task: 1 }), /ERR_FORBIDDEN/);
  await viewer[Symbol.asyncDispose]();
  await using stranger = await editor([], {}, { AUTOCODE_TOKEN: 'ac_admin_made-up' });
  assert.match(await stranger.refused('list_tasks'), /ERR_UNAUTHENTICATED\]\n/);
  await using away = await editor([], {}, { AUTOCODE_URL: 'http://127.0.0.1:1' });
  assert.match(await away.refused('list_tasks'), /No daemon answers.*ERR_DAEMON_NOT_RUNNING\]\nCheck/s);
});

test('the program ends with its client, in the middle of a wait and of a request that nobody answers', async () => {
  const waiting = await editor();
  const held = waiting.client.callTool({ name: 'wait_for_task', arguments: { task: 1, seconds: 60 } });
  await Promise.allSettled([held, waiting.client.close()]);
  await hasEnded(waiting.pid);

  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const hanging = await editor([], {}, { AUTOCODE_URL: `http://127.0.0.1:${port}`, AUTOCODE_TOKEN: 'x' });
  const asked = hanging.client.callTool({ name: 'list_tasks', arguments: {} });
  const [socket] = await once(silent, 'connection');
  await Promise.allSettled([asked, hanging.client.close()]);
  await hasEnded(hanging.pid);
  socket.destroy();
  silent.close();
});
