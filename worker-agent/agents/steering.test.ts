// The real agents that speak ACP, steered: an interrupted turn is part of the conversation that goes on, and a kind of tool that
// the project denies is not used.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { AcpAgent } from './acp-agent.ts';
import { createAgent } from './factory.ts';
import { openScratchSandbox } from './scratch.ts';
import { collect, type Told } from './testing/collect.ts';
import { installForTests, TEST_TOOL_DIR } from './testing/real-agents.ts';
import { type Reply, type ScriptedModel, startScriptedModel } from './testing/scripted-model.ts';
import type { Conversation } from './testing/scripted-protocol.ts';

const SHELLS: Record<string, (command: string) => Reply> = {
  'qwen-coder': (command) => ({
    tool: 'run_shell_command',
    input: { command, description: 'run it', is_background: false },
  }),
  'claude-code': (command) => ({ tool: 'Bash', input: { command, description: 'run it' } }),
  codex: (cmd) => ({ tool: 'exec_command', input: { cmd } }),
};

for (const [name, shell] of Object.entries(SHELLS)) {
  describe(name, () => {
    before(() => installForTests(name));

    test('goes on in the same conversation after an interruption', async () => {
      const script = ({ prompt }: Conversation): Reply =>
        prompt.includes('second thing') ? { text: 'heard' } : { hang: true };
      await scene(name, script, async ({ agent, model }) => {
        await agent.start();
        const turn = agent.runTask({ phase: 'execute', prompt: 'Do the first thing' });
        await model.askedAbout('first thing');
        const began = performance.now();
        agent.interrupt();
        assert.equal((await turn).stop, 'interrupted');
        assert.ok(performance.now() - began < 5000);
        const { stop, text } = await agent.runTask({ phase: 'execute', prompt: 'Now the second thing' });
        assert.deepEqual([stop, text], ['done', 'heard']);
        const { body } = await model.askedAbout('second thing');
        assert.ok(body.includes('first thing'), 'what was said before is still there');
      });
    });

    test('uses no kind of tool that is denied', async () => {
      const script = ({ prompt, results }: Conversation): Reply =>
        prompt.includes('A tool was refused') || results.length > 0 ? { text: 'Done.' } : shell('touch used');
      await scene(name, script, async ({ agent, told, workspace }) => {
        assert.ok(agent.asks);
        told.context.permissions = { execute: 'deny' };
        await agent.start();
        const { stop, error } = await agent.runTask({ phase: 'execute', prompt: 'Use it' });
        assert.equal(stop, 'done', error ?? '');
        assert.ok(!existsSync(join(workspace, 'used')));
        assert.ok(
          told.events.some(
            (event) => event.type === 'notice' && event.text.startsWith('Refused to the agent: '),
          ),
        );
      });
    });
  });
}

interface Scene {
  agent: AcpAgent;
  told: Told;
  workspace: string;
  model: ScriptedModel & { askedAbout(text: string): Promise<Conversation> };
}

async function scene(
  name: string,
  script: (conversation: Conversation) => Reply,
  body: (scene: Scene) => Promise<void>,
): Promise<void> {
  const model = await startScriptedModel(script);
  const askedAbout = async (text: string): Promise<Conversation> => {
    for (let count = model.asked.length; ; count++) {
      const found = model.asked.find(({ prompt }) => prompt.includes(text));
      if (found) return found;
      await model.askedTimes(count + 1);
    }
  };
  const sandbox = await openScratchSandbox(model.url, { toolDir: TEST_TOOL_DIR });
  const told = collect(sandbox, {}, TEST_TOOL_DIR);
  const agent = createAgent(name, told.context) as AcpAgent;
  try {
    await body({ agent, told, workspace: sandbox.workspace, model: { ...model, askedAbout } });
  } finally {
    await agent.stop();
    await sandbox.close();
    await model.close();
  }
}
