// A task by each real agent CLI: through the sandbox, the gateway and a model server to a verified change.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import type { ModelCall } from '../../protocol/model.ts';
import { installForTests, TEST_TOOL_DIR } from '../../worker-agent/agents/testing/real-agents.ts';
import { startScriptedModel } from '../../worker-agent/agents/testing/scripted-model.ts';
import type { Conversation, Said } from '../../worker-agent/agents/testing/scripted-protocol.ts';
import { makeRepository, startAppliance } from './appliance.ts';

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
    const model = await startScriptedModel(({ prompt, results }: Conversation): Said => {
      if (prompt.includes('"steps"'))
        return { text: '{"summary": "Write it.", "steps": ["Write the answer"]}' };
      return results.length > 0 ? { text: 'Done.' } : says;
    });
    const engine = {
      kind: 'upstream',
      name: 'gpu',
      url: model.url,
      protocols: [protocol],
      models: [{ name: 'scripted' }],
    };
    await using appliance = await startAppliance(`models.engines=${JSON.stringify([engine])}`);
    try {
      // Installed once for all tests; the worker sees it with its next registration.
      const installed = path.join(appliance.dataDir, 'agents');
      rmSync(installed, { recursive: true, force: true });
      symlinkSync(TEST_TOOL_DIR, installed);
      const where = makeRepository(path.join(appliance.directory, 'repository'), {
        check: 'test "$(cat answer)" = 42\n',
        answer: '41\n',
      });
      const verify = [{ name: 'test', command: 'sh ./check' }];
      await appliance.api('POST', '/projects', { name: 'answers', repository: where, agent, verify });
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
    } finally {
      await model.close();
    }
  });
}
