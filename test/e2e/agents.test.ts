// A task by each real agent CLI: through the sandbox, the gateway and a model server to a verified change.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { before, test } from 'node:test';
import type { ModelCall } from '../../protocol/model.ts';
import { installForTests } from '../../worker-agent/agents/testing/real-agents.ts';
import { startScriptedModel } from '../../worker-agent/agents/testing/scripted-model.ts';
import type { Conversation, Said } from '../../worker-agent/agents/testing/scripted-protocol.ts';
import { makeRepository, startAppliance } from './appliance.ts';
import { giveAgents, scriptedEngine } from './scripted.ts';

const BASH = { tool: 'Bash', input: { command: 'echo 42 > answer', description: 'write' } };
/** The protocol of each, and what the model says so that it writes the answer. */
const AGENTS: Record<string, { protocol: string; says: Said }> = {
  'claude-code': { protocol: 'messages', says: BASH },
  'claude-code-cli': { protocol: 'messages', says: BASH },
  codex: { protocol: 'responses', says: { tool: 'exec_command', input: { cmd: 'echo 42 > answer' } } },
  aider: { protocol: 'chat', says: { text: 'This is it.\n\nanswer\n```\n42\n```\n' } },
};

before(async () => {
  for (const agent of Object.keys(AGENTS)) await installForTests(agent);
});

for (const [agent, { protocol, says }] of Object.entries(AGENTS)) {
  test(`${agent} does a task through the gateway, by ${protocol}`, async () => {
    await using scene = await open(agent, protocol, ({ results }) =>
      results.length > 0 ? { text: 'Done.' } : says,
    );
    const { appliance, model, where } = scene;
    const task = await appliance.task('answers', 'Make the answer 42');
    const ended = await appliance.ended(task);
    const [run] = await appliance.runs(task);
    assert.equal(ended.state, 'completed', `${ended.reason} ${run?.reason}`);
    assert.equal(run?.state, 'succeeded');
    const [change] = await appliance.changes('answers');
    const answer = execFileSync('git', ['-C', where, 'show', `${change?.branch}:answer`], {
      encoding: 'utf8',
    });
    assert.equal(answer, '42\n');
    const calls = await appliance.api<ModelCall[]>('GET', `/runs/${run.id}/calls`);
    assert.equal(calls.length, model.asked.length, 'each call is recorded, and no other was made');
    assert.ok(calls.every((call) => call.protocol === protocol && call.outcome === 'ok'));
    assert.equal(run.usage.inputTokens, calls.length * 1000);
  });
}

test('aider, which works in one repository, changes several in one task', async () => {
  const files = 'api/answer\n```\n42\n```\n\nweb/answer\n```\n42\n```\n';
  await using scene = await open('aider', 'chat', () => ({ text: `These are it.\n\n${files}` }));
  const { appliance, model, where } = scene;
  const web = makeRepository(path.join(appliance.directory, 'web'), { answer: '41\n' });
  await appliance.autocode(
    'project',
    'add',
    '--name',
    'both',
    '--repo',
    `api=${where}`,
    '--repo',
    `web=${web}`,
  );
  const verify = [{ name: 'both', command: 'cmp api/answer web/answer && test "$(cat web/answer)" = 42' }];
  await appliance.api('PATCH', '/projects/both', { agent: 'aider', verify });
  const ended = await appliance.ended(await appliance.task('both', 'Make the answer 42 in web/answer, too'));
  assert.equal(ended.state, 'completed', ended.reason ?? '');
  assert.equal(ended.changes.length, 2);
  const log = await appliance.autocode('task', 'logs', String(ended.id));
  assert.match(model.asked.at(-1)?.body ?? '', /api\/check/, 'its map has the files of all');
  assert.doesNotMatch(log, /is left out/);
});

test('an agent without a limit of its own, whose model calls tools for ever, is stopped by the gateway', async () => {
  let count = 0;
  const again = (): Said => ({ tool: 'exec_command', input: { cmd: `echo ${count++}` } });
  const settings = ['gateway.guards.callsPerRun=6', 'limits.retries.agent=0'];
  await using scene = await open('codex', 'responses', again, ...settings);
  const { appliance, model } = scene;
  const task = await appliance.task('answers', 'Make the answer 42');
  assert.equal((await appliance.ended(task)).state, 'failed');
  const [run] = await appliance.runs(task);
  assert.match(run?.reason ?? '', /6 model calls/);
  assert.equal(model.asked.length, 6);
});

/** An appliance with a project `answers` for the agent, and a model that plans, then says what it is told to. */
async function open(
  agent: string,
  protocol: string,
  work: (conversation: Conversation) => Said,
  ...settings: string[]
) {
  const model = await startScriptedModel((conversation) =>
    conversation.prompt.includes('"steps"')
      ? { text: '{"summary": "Write it.", "steps": ["Write the answer"]}' }
      : work(conversation),
  );
  await using opened = new AsyncDisposableStack();
  opened.defer(() => model.close());
  const appliance = opened.use(await startAppliance(scriptedEngine(model.url, { protocol }), ...settings));
  await giveAgents(appliance, agent);
  const where = makeRepository(path.join(appliance.directory, 'repository'), {
    check: 'test "$(cat answer)" = 42\n',
    answer: '41\n',
  });
  const verify = [{ name: 'test', command: 'sh ./check' }];
  await appliance.api('POST', '/projects', { name: 'answers', repository: where, agent, verify });
  const all = opened.move();
  return { appliance, model, where, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
