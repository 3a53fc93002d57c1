// A task by each real agent CLI: through the sandbox, the gateway and a model server to a verified change.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { ModelCall } from '../../protocol/model.ts';
import { type ScriptedModel, startScriptedModel } from '../../worker-agent/agents/testing/scripted-model.ts';
import type { Conversation, Said } from '../../worker-agent/agents/testing/scripted-protocol.ts';
import { makeRepository, startAppliance, type Appliance } from './appliance.ts';
import { giveAgents, scriptedEngine } from './scripted.ts';

const BASH = { tool: 'Bash', input: { command: 'echo 42 > answer', description: 'write' } };
/** The protocol of each, and what the model says so that it writes the answer. */
const AGENTS: Record<string, { protocol: string; says: Said }> = {
  'claude-code': { protocol: 'messages', says: BASH },
  'claude-code-cli': { protocol: 'messages', says: BASH },
  codex: { protocol: 'responses', says: { tool: 'exec_command', input: { cmd: 'echo 42 > answer' } } },
  aider: { protocol: 'chat', says: { text: 'This is it.\n\nanswer\n```\n42\n```\n' } },
};

const VERIFY = [{ name: 'test', command: 'sh ./check' }];
const FILES = { check: 'test "$(cat answer)" = 42\n', answer: '41\n' };

type Work = (conversation: Conversation) => Said;

/** An appliance with agents, and a model that plans, then says what each test tells it to. */
interface Place {
  appliance: Appliance;
  model: ScriptedModel;
  says(work: Work): void;
  [Symbol.asyncDispose](): Promise<void>;
}

async function open(agents: string[], ...settings: string[]): Promise<Place> {
  let script: Work;
  const model = await startScriptedModel((conversation) =>
    conversation.prompt.includes('"steps"')
      ? { text: '{"summary": "Write it.", "steps": ["Write the answer"]}' }
      : script(conversation),
  );
  await using opened = new AsyncDisposableStack();
  opened.defer(() => model.close());
  const protocols = ['messages', 'responses', 'chat'];
  const appliance = opened.use(await startAppliance(scriptedEngine(model.url, { protocols }), ...settings));
  await giveAgents(appliance, ...agents);
  const all = opened.move();
  return {
    appliance,
    model,
    says: (work) => (script = work),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** A project of the agent's name on a new repository. */
async function project({ appliance }: Place, agent: string): Promise<string> {
  const where = makeRepository(path.join(appliance.directory, agent), FILES);
  await appliance.api('POST', '/projects', { name: agent, repository: where, agent, verify: VERIFY });
  return where;
}

let place: Place;
before(async () => {
  place = await open(Object.keys(AGENTS));
});
after(() => place?.[Symbol.asyncDispose]());

for (const [agent, { protocol, says }] of Object.entries(AGENTS)) {
  test(`${agent} does a task through the gateway, by ${protocol}`, async () => {
    const { appliance, model } = place;
    place.says(({ results }) => (results.length > 0 ? { text: 'Done.' } : says));
    const where = await project(place, agent);
    const asked = model.asked.length;
    const task = await appliance.task(agent, 'Make the answer 42');
    const ended = await appliance.ended(task);
    const [run] = await appliance.runs(task);
    assert.equal(ended.state, 'completed', `${ended.reason} ${run?.reason}`);
    assert.equal(run?.state, 'succeeded');
    const [change] = await appliance.changes(agent);
    const answer = execFileSync('git', ['-C', where, 'show', `${change?.branch}:answer`], {
      encoding: 'utf8',
    });
    assert.equal(answer, '42\n');
    const calls = await appliance.api<ModelCall[]>('GET', `/runs/${run.id}/calls`);
    assert.equal(calls.length, model.asked.length - asked, 'each call is recorded, and no other was made');
    assert.ok(calls.every((call) => call.protocol === protocol && call.outcome === 'ok'));
    assert.equal(run.usage.inputTokens, calls.length * 1000);
  });
}

test('aider, which works in one repository, changes several in one task', async () => {
  const files = 'api/answer\n```\n42\n```\n\nweb/answer\n```\n42\n```\n';
  place.says(() => ({ text: `These are it.\n\n${files}` }));
  const { appliance, model } = place;
  const api = makeRepository(path.join(appliance.directory, 'api'), FILES);
  const web = makeRepository(path.join(appliance.directory, 'web'), { answer: '41\n' });
  await appliance.autocode(
    'project',
    'add',
    '--name',
    'both',
    '--repo',
    `api=${api}`,
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
  await using guarded = await open(['codex'], 'gateway.guards.callsPerRun=6', 'limits.retries.agent=0');
  const { appliance, model } = guarded;
  let count = 0;
  guarded.says(() => ({ tool: 'exec_command', input: { cmd: `echo ${count++}` } }));
  await project(guarded, 'codex');
  const task = await appliance.task('codex', 'Make the answer 42');
  assert.equal((await appliance.ended(task)).state, 'failed');
  const [run] = await appliance.runs(task);
  assert.match(run?.reason ?? '', /6 model calls/);
  assert.equal(model.asked.length, 6);
});
