// People steer tasks of a real Qwen Code: messages in the middle of a turn and across a killed runner, plans that wait for
// approval, tools that a project denies.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import type { TaskMessage } from '../../protocol/message.ts';
import type { Task } from '../../protocol/task.ts';
import { type Reply, startScriptedModel } from '../../worker-agent/agents/testing/scripted-model.ts';
import type { Conversation } from '../../worker-agent/agents/testing/scripted-protocol.ts';
import { testDatabase } from '../support/database.ts';
import { eventually, makeRepository, startAppliance } from './appliance.ts';
import { giveAgents, scriptedEngine } from './scripted.ts';
import { kill } from './faults/victims.ts';

const VERIFY = [{ name: 'test', command: 'sh ./check' }];
const FILES = { check: 'test "$(cat answer)" = 42\n', answer: '41\n' };
const shell = (command: string): Reply => ({
  tool: 'run_shell_command',
  input: { command, description: 'write', is_background: false },
});
const PLAN: Reply = { text: '{"summary": "Write it.", "steps": ["Write the answer"]}' };

/** What the model does; each test sets its own. */
let script: (conversation: Conversation) => Reply = () => PLAN;
const model = await startScriptedModel((conversation) =>
  conversation.prompt.includes('"steps"') ? PLAN : script(conversation),
);
const database = await testDatabase();
const appliance = await startAppliance(scriptedEngine(model.url), `database.url=${database.url}`);
after(async () => {
  await appliance[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await model.close();
});

before(async () => {
  await giveAgents(appliance, 'qwen-coder');
});

async function project(name: string, settings: object = {}): Promise<string> {
  const where = makeRepository(path.join(appliance.directory, name), FILES);
  const about = { name, repository: where, agent: 'qwen-coder', verify: VERIFY, ...settings };
  await appliance.api('POST', '/projects', about);
  return where;
}

const messagesOf = async (task: number) =>
  await appliance.api<TaskMessage[]>('GET', `/tasks/${task}/messages`);
const askedWith = (text: string) => model.asked.filter(({ prompt }) => prompt.includes(text));
const hasAsked = async (text: string) =>
  await eventually(async () => askedWith(text).at(-1), `the model to be asked about ${text}`);
const awaitsApproval = async (task: number, attempt: number) =>
  await eventually(async () => {
    const found = await appliance.api<Task>('GET', `/tasks/${task}`);
    return found.pendingReason === 'approval' && found.attempt === attempt ? found : undefined;
  }, `plan ${attempt} of task ${task}`);

test('a message reaches the agent while the model hangs, in the conversation that it was in', async () => {
  const where = await project('hanging');
  script = ({ prompt, results }) => {
    if (!prompt.includes('Write 42 to it')) return { hang: true };
    return results.length > 0 ? { text: 'Done.' } : shell('echo 42 > answer');
  };
  const task = await appliance.task('hanging', 'Make it right');
  await hasAsked('Now carry out the plan');
  const sent = performance.now();
  const said = await appliance.autocode('task', 'send', String(task), 'Write 42 to it');
  assert.match(said, new RegExp(`^Message 1 to task ${task} is sent\\. Run ${task}-1 gets it`));
  const { body } = await hasAsked('Write 42 to it');
  assert.ok(performance.now() - sent < 10_000);
  assert.ok(body.includes('Now carry out the plan'), 'what was said before is still in the conversation');
  const ended = await appliance.ended(task);
  assert.equal(ended.state, 'completed', ended.reason ?? '');
  const [message] = await messagesOf(task);
  assert.equal(message?.run, `${task}-1`);
  const told = askedWith('Write 42 to it').length;
  assert.equal(told, 2, 'the message, and the result of the tool after it');
  const [change] = await appliance.changes('hanging');
  assert.equal(execFileSync('git', ['-C', where, 'show', `${change?.branch}:answer`]).toString(), '42\n');
  assert.ok(!change?.body.includes('Write 42 to it'));
  await assert.rejects(appliance.autocode('task', 'send', String(task), 'late'), /task retry/);
});

test('a runner that is killed between a delivery and its acknowledgement loses no message and doubles none', async () => {
  await project('killed');
  script = ({ prompt, results, body }) => {
    if (!body.includes('Mind this')) return { hang: true };
    if (prompt.startsWith('You were interrupted')) return { hang: true };
    return results.length > 0 ? { text: 'Done.' } : shell('echo 42 > answer');
  };
  const begun = askedWith('Now carry out the plan').length;
  const task = await appliance.task('killed', 'Make it right');
  await eventually(
    async () => askedWith('Now carry out the plan').length > begun || undefined,
    'the agent to be at work',
  );
  // The acknowledgement waits for the run, which is held here; the message goes past it.
  const holder = new pg.Client({ connectionString: database.url });
  const sender = new pg.Client({ connectionString: database.url });
  await Promise.all([holder.connect(), sender.connect()]);
  try {
    await holder.query('begin');
    await holder.query('select from run where id = $1 for update', [`${task}-1`]);
    await sender.query(
      `insert into task_message (task, number, author, text) values ($1, 1, 'ann', 'Mind this')`,
      [task],
    );
    await sender.query(`select pg_notify('run', $1)`, [`${task}-1`]);
    await hasAsked('Mind this');
    const { pid } = (await holder.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!;
    const held = `from pg_stat_activity where wait_event_type = 'Lock' and $1 = any(pg_blocking_pids(pid))`;
    const waits = async () =>
      (await sender.query(`select ${held} and query like '%for no key update'`, [pid])).rowCount || undefined;
    await eventually(waits, 'the acknowledgement to wait for the run');
    assert.ok(kill('runner', appliance.dataDir, task));
    await sender.query(`select pg_terminate_backend(pid) ${held}`, [pid]);
  } finally {
    await holder.query('rollback').catch(() => {});
    await Promise.all([holder.end(), sender.end()]);
  }
  const ended = await appliance.ended(task);
  assert.equal(ended.state, 'completed', ended.reason ?? '');
  assert.deepEqual(
    (await messagesOf(task)).map(({ number, run }) => [number, run]),
    [[1, `${task}-2`]],
  );
  const first = model.asked.findLast(({ prompt }) => prompt.includes('"steps"'));
  assert.equal(first?.prompt.split('Mind this').length, 2, 'the next run begins with it, once');
});

test('behind the gate no work begins before its plan is approved; a rejected one is made anew', async () => {
  const where = await project('gated', { approvePlan: true });
  script = ({ results }) => (results.length > 0 ? { text: 'Done.' } : shell('echo 42 > answer'));
  const task = await appliance.task('gated', 'Make it right');
  const first = await awaitsApproval(task, 1);
  assert.deepEqual(first.plan?.steps, [{ title: 'Write the answer', status: 'pending' }]);
  assert.match(await appliance.autocode('task', 'show', String(task)), new RegExp(`task approve ${task}`));
  await appliance.autocode('task', 'reject', String(task), '--message', 'In the answer file, please');
  await awaitsApproval(task, 2);
  const asked = model.asked.findLast(({ prompt }) => prompt.includes('"steps"'));
  assert.match(asked?.prompt ?? '', /rejected-plan>[\s\S]*Write the answer/);
  assert.match(asked?.prompt ?? '', /In the answer file, please/);
  const edited = path.join(appliance.directory, 'plan.json');
  writeFileSync(edited, '{"summary": "By hand.", "steps": ["Write 42"]}');
  await appliance.autocode('task', 'approve', String(task), '--edit', edited);
  const ended = await appliance.ended(task);
  assert.equal(ended.state, 'completed', ended.reason ?? '');
  assert.match(model.asked.at(-1)?.body ?? '', /By hand\./);
  const runs = await appliance.runs(task);
  assert.deepEqual(
    runs.map(({ state }) => state),
    ['planned', 'planned', 'succeeded'],
  );
  assert.deepEqual(runs[2]?.plan?.steps, [{ title: 'Write 42', status: 'completed' }]);
  const [change] = await appliance.changes('gated');
  assert.equal(execFileSync('git', ['-C', where, 'show', `${change?.branch}:answer`]).toString(), '42\n');
});

test('a kind of tool that the project denies is refused to the agent, which goes on by another', async () => {
  const verify = [{ name: 'test', command: 'test "$(cat fresh)" = 42' }];
  const where = await project('strict', { permissions: { execute: 'deny' }, verify });
  script = ({ prompt, results, body }) => {
    if (results.length === 0 && !prompt.includes('A tool was refused')) return shell('echo 42 > fresh');
    const tree = /Your working directory is ([^ "\\]+)\./.exec(body)?.[1] ?? '';
    const write: Reply = { tool: 'write_file', input: { file_path: `${tree}/fresh`, content: '42\n' } };
    return results.length > 0 ? { text: 'Done.' } : write;
  };
  const task = await appliance.task('strict', 'Make it right');
  const ended = await appliance.ended(task);
  assert.equal(ended.state, 'completed', ended.reason ?? '');
  const log = await appliance.autocode('task', 'logs', String(task));
  assert.match(log, /notice: Refused to the agent: .*; the project denies tools of the kind execute\./);
  const [change] = await appliance.changes('strict');
  assert.equal(execFileSync('git', ['-C', where, 'show', `${change?.branch}:fresh`]).toString(), '42\n');
});
