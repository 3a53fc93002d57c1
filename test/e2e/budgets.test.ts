// Budgets as their users meet them: a run stops at its limit and goes on from its work when there is more, whatever its agent
// says; a task without funds waits; and a daemon that is killed in the middle of a call leaves nothing reserved.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Budget, LedgerVerified } from '../../protocol/budget.ts';
import type { Event } from '../../protocol/event.ts';
import type { Task } from '../../protocol/task.ts';
import { type Reply, startScriptedModel } from '../../worker-agent/agents/testing/scripted-model.ts';
import type { Conversation } from '../../worker-agent/agents/testing/scripted-protocol.ts';
import { eventually, makeRepository, startAppliance } from './appliance.ts';
import { giveAgents, OUTPUT_PRICE, scriptedEngine } from './scripted.ts';
import { kill } from './faults/victims.ts';

const VERIFY = [{ name: 'test', command: 'sh ./check' }];
const FILES = { check: 'test "$(cat answer)" = 42\n', answer: '41\n' };
const WRITE: Reply = {
  tool: 'run_shell_command',
  input: { command: 'echo 42 > answer', description: 'write', is_background: false },
};
const PLAN: Reply = { text: '{"summary": "Write it.", "steps": ["Write the answer"]}' };
/** Agents that tell of a refusal in words of their own, or try again first. */
const OTHERS = ['claude-code', 'codex', 'aider'];
/** Fifty tokens of output a call, at 0.001 each: what comes in is free, so that what a call costs does not hang on prompts. */
const CALL = 50_000;
/** What a call must be able to cost before it is let through. */
const LEAST_CALL = 256_000;

let script: (conversation: Conversation) => Reply = () => PLAN;
const model = await startScriptedModel((conversation) =>
  conversation.prompt.includes('"steps"') ? PLAN : script(conversation),
);
const appliance = await startAppliance(
  scriptedEngine(model.url, { price: OUTPUT_PRICE }),
  'budget.reservationSeconds=6',
  'currency=EUR',
);
after(async () => {
  await appliance[Symbol.asyncDispose]();
  await model.close();
});

before(async () => {
  await giveAgents(appliance, 'qwen-coder', ...OTHERS);
});

/** A program that asks the model and does not tell what came of it. */
const asks = (times: number) =>
  `for call in $(seq ${times}); do curl -s -o /dev/null --retry 30 --retry-all-errors --retry-delay 1 "$OPENAI_BASE_URL/chat/completions" ` +
  `-H 'content-type: application/json' -d '{"model": "scripted", "max_tokens": 50, "messages": [{"role": "user", "content": "call '$call'"}]}'; done`;

const budgetOf = async (owner: string) =>
  (JSON.parse(await appliance.autocode('budget', 'show', owner, '--json')) as Budget[])[0]!;
const setBudget = async (owner: string, micros: number) =>
  await appliance.autocode('budget', 'set', owner, '--per', 'total', '--money', String(micros / 1e6));
const waitsForBudget = async (task: number) =>
  await eventually(async () => {
    const found = await appliance.api<Task>('GET', `/tasks/${task}`);
    return found.pendingReason === 'budget' ? found : undefined;
  }, `task ${task} to wait for its budget`);

test('a real agent stops at the limit, its work is kept, and a retry with more goes on from it', async () => {
  const where = makeRepository(path.join(appliance.directory, 'two-calls'), FILES);
  const about = { name: 'two-calls', repository: where, agent: 'qwen-coder', verify: VERIFY };
  await appliance.api('POST', '/projects', about);
  const cap = 2 * CALL + LEAST_CALL - 1;
  await setBudget('project:two-calls', cap);
  script = ({ results }) => (results.length > 0 ? { text: 'Done.' } : WRITE);
  const task = await appliance.task('two-calls', 'Make the answer 42');
  const ended = await appliance.ended(task);
  const [run] = await appliance.runs(task);
  assert.deepEqual([ended.state, run?.state], ['failed', 'out-of-budget'], `${ended.reason} ${run?.reason}`);
  assert.match(ended.reason ?? '', /budget of project two-calls \(.* EUR in total\).*autocode budget set/s);
  assert.equal(model.asked.length, 2, 'the plan, and the turn that wrote');
  const shown = await appliance.autocode('task', 'show', String(task));
  assert.match(shown, /out-of-budget/);
  assert.match(shown, new RegExp(`autocode task retry ${task}`));
  const budget = await budgetOf('project:two-calls');
  assert.ok(budget.spent === 2 * CALL && budget.spent <= cap);

  // It has nothing to do but to say so: the answer is there.
  script = () => ({ text: 'It is done already.' });
  await setBudget('project:two-calls', 10 * LEAST_CALL);
  await appliance.autocode('task', 'retry', String(task));
  const again = await appliance.ended(task);
  assert.equal(again.state, 'completed', again.reason ?? '');
  const [change] = await appliance.changes('two-calls');
  assert.equal(execFileSync('git', ['-C', where, 'show', `${change?.branch}:answer`]).toString(), '42\n');
});

for (const agent of OTHERS) {
  test(`a run of ${agent} is out of budget when its first call is refused, and its task waits for more`, async () => {
    const where = makeRepository(path.join(appliance.directory, agent), FILES);
    await appliance.api('POST', '/projects', { name: agent, repository: where, agent, verify: VERIFY });
    await setBudget(`project:${agent}`, LEAST_CALL - 1);
    const task = await appliance.task(agent, 'Make the answer 42');
    const waiting = await waitsForBudget(task);
    const [run, ...more] = await appliance.runs(task);
    assert.deepEqual([run?.state, more], ['out-of-budget', []], `${run?.reason}`);
    assert.match(waiting.reason ?? '', /budget of project .* leaves only 0\.2560 EUR\. Raise it with/);
    assert.equal((await budgetOf(`project:${agent}`)).spent, 0);
    await appliance.autocode('task', 'cancel', String(task));
  });
}

test('an agent that hides the refusal ends out of budget too, and the next run waits until there is more', async () => {
  script = () => ({ text: 'Yes.' });
  const before = model.asked.length;
  await appliance.project('hidden', { agent: `${asks(3)}; echo 43 > answer`, limits: { maxIterations: 1 } });
  await setBudget('project:hidden', 2 * CALL);
  const task = await appliance.task('hidden');
  const ended = await appliance.ended(task);
  const [run] = await appliance.runs(task);
  assert.deepEqual([ended.state, run?.state], ['failed', 'out-of-budget'], `${ended.reason} ${run?.reason}`);
  assert.match(ended.reason ?? '', /budget of project hidden .* is used up\..*autocode budget set/);
  assert.equal(model.asked.length - before, 2);
  assert.equal((await budgetOf('project:hidden')).spent, 2 * CALL);

  await appliance.autocode('task', 'retry', String(task));
  const waiting = await waitsForBudget(task);
  assert.equal(waiting.attempt, 1, 'no run was wasted');
  const shown = await appliance.autocode('task', 'show', String(task));
  assert.match(shown, /pending \(budget\) – The budget of project hidden \(.*\) is used up\./s);
  assert.match(shown, /autocode budget set/);
  await setBudget('project:hidden', 100 * CALL);
  const again = await appliance.ended(task);
  assert.doesNotMatch(again.reason ?? '', /budget/, 'this time its work is what is wrong');
  assert.equal((await appliance.runs(task))[1]?.state, 'failed');
});

test('a daemon that is killed in the middle of a call leaves nothing reserved, and the run goes on', async () => {
  await setBudget('project:hidden', (await budgetOf('project:hidden')).spent);
  let held = true;
  script = () => (held ? { hang: true } : { text: 'Yes.' });
  await appliance.project('killed', { agent: `${asks(1)}; echo 42 > answer` });
  await setBudget('project:killed', 20 * CALL);
  const before = model.asked.length;
  const task = await appliance.task('killed');
  await model.askedTimes(before + 1);
  assert.equal((await budgetOf('project:killed')).held, 2 * CALL);
  kill('daemon', appliance.dataDir, task);
  held = false;
  await appliance.up();
  const restarted = performance.now();
  const ended = await appliance.ended(task);
  assert.equal(ended.state, 'completed', ended.reason ?? '');
  assert.equal(ended.attempt, 1);
  const budget = await eventually(async () => {
    const now = await budgetOf('project:killed');
    return now.spent === 3 * CALL ? now : undefined;
  }, 'the slab to be charged');
  assert.ok(performance.now() - restarted < 30_000);
  // What the new gateway has is given back when the run has not called for a while; none of the old one's is left.
  assert.ok(budget.held <= CALL, `${budget.held} is held`);
  const verified = JSON.parse(await appliance.autocode('ledger', 'verify', '--json')) as LedgerVerified;
  assert.equal(verified.wrong, null);
  const entries = await appliance.autocode('ledger', 'list', '--json');
  assert.equal((JSON.parse(entries) as { kind: string }[]).filter(({ kind }) => kind === 'swept').length, 1);
  // The scheduler, which began anew, tells of what is used up; of the amount before it may have told as well.
  await eventually(async () => {
    const events = await appliance.api<{ events: Event[] } | Event[]>('GET', '/events?kind=budget.reached');
    const list = Array.isArray(events) ? events : events.events;
    const levels = list.filter(({ data }) => data.subject === 'hidden').map(({ data }) => data.level);
    return levels.includes(80) && levels.includes(100) ? levels : undefined;
  }, 'news of budgets');
});
