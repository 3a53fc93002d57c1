// The real agent CLIs through the gateway in front of engines that do not speak their protocol: each writes a file by a
// tool of its own (aider in its answer) and ends its turn.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashOf } from '../../orchestrator/access/tokens.ts';
import { gatewayRig } from '../../orchestrator/gateway/testing/rig.ts';
import type { Protocol } from '../../protocol/model.ts';
import { createAgent } from '../../worker-agent/agents/factory.ts';
import { PLACEHOLDER_KEY } from '../../worker-agent/agents/profiles/profile.ts';
import { openScratchSandbox } from '../../worker-agent/agents/scratch.ts';
import { collect } from '../../worker-agent/agents/testing/collect.ts';
import { installForTests, TEST_TOOL_DIR } from '../../worker-agent/agents/testing/real-agents.ts';
import { startScriptedModel } from '../../worker-agent/agents/testing/scripted-model.ts';
import type { Reply } from '../../worker-agent/agents/testing/scripted-model.ts';

const WRITES: Record<string, Reply> = {
  'qwen-coder': { tool: 'write_file', input: { file_path: '{{cwd}}/hello.txt', content: 'hello\n' } },
  'claude-code': { tool: 'Write', input: { file_path: '{{cwd}}/hello.txt', content: 'hello\n' } },
  codex: { tool: 'exec_command', input: { cmd: 'echo hello > hello.txt' } },
  aider: { text: 'all done\n\nhello.txt\n```\nhello\n```\n' },
};

const WAYS: [agent: string, asks: Protocol, engine: Protocol][] = [
  ['qwen-coder', 'chat', 'messages'],
  ['claude-code', 'messages', 'chat'],
  ['codex', 'responses', 'chat'],
  ['codex', 'responses', 'messages'],
  ['aider', 'chat', 'messages'],
];

for (const [name, asks, protocol] of WAYS) {
  test(`${name} works with an engine that speaks ${protocol} alone`, { timeout: 120_000 }, async () => {
    await installForTests(name);
    const model = await startScriptedModel(({ results, tools }) => {
      const write = WRITES[name] as Reply;
      return results.length > 0 || (tools.length === 0 && 'tool' in write) ? { text: 'all done' } : write;
    });
    await using rig = await gatewayRig({
      engines: () => [
        {
          kind: 'upstream',
          name: 'far',
          url: model.url,
          protocols: [protocol],
          queue: 10,
          queueSeconds: 10,
          models: [{ name: 'm' }],
        },
      ],
    });
    // In a run the way to the gateway puts the run's key in the place of this one.
    await rig.db.query(`insert into token (name, role, hash, run) values ('test', 'gateway', $1, $2)`, [
      hashOf(PLACEHOLDER_KEY),
      rig.run,
    ]);
    const sandbox = await openScratchSandbox(rig.gateway.url, { toolDir: TEST_TOOL_DIR });
    model.cwd = sandbox.workspace;
    const told = collect(sandbox, { name, model: 'far/m' }, TEST_TOOL_DIR);
    const agent = createAgent(name, told.context);
    try {
      await agent.start();
      const result = await agent.runTask({ phase: 'execute', prompt: 'Write hello.txt' });
      assert.deepEqual({ stop: result.stop, error: result.error }, { stop: 'done', error: null });
      assert.equal(await readFile(join(sandbox.tree, 'hello.txt'), 'utf8'), 'hello\n');
      const calls = await rig.calls();
      assert.ok(calls.length > 0);
      for (const call of calls)
        assert.deepEqual([call.protocol, call.outcome, call.usage_source], [asks, 'ok', 'upstream']);
    } finally {
      await agent.stop();
      await sandbox.close();
      await model.close();
    }
  });
}
