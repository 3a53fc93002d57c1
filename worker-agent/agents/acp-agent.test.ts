import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { AutocodeError } from '../../protocol/errors.ts';
import { AcpAgent } from './acp-agent.ts';
import { AGENT_NAMES } from './catalogue.ts';
import { conformance } from './conformance.ts';
import { createAgent } from './factory.ts';
import { openScratchSandbox, type ScratchSandbox } from './scratch.ts';
import { collect, type Told } from './testing/collect.ts';
import { fixtureProfile } from './testing/fixture-profile.ts';
import { type Reply, type ScriptedModel, startScriptedModel } from './testing/scripted-model.ts';
import type { Conversation } from './testing/scripted-protocol.ts';

conformance('An agent that asks before each tool', {
  create: (context) => new AcpAgent(context, fixtureProfile()),
  toolDir: '/nonexistent',
  write: (path, content) => ({ tool: 'write_file', input: { path, content } }),
  shell: (command) => ({ tool: 'shell', input: { command } }),
  countsTokens: true,
});

describe('AcpAgent', () => {
  test('tells how the program ended when it crashes at the start', async () => {
    await failsToStart('crash', /exited with code 3: fatal: no such model file$/);
  });

  test('refuses a program that prints text where messages belong', async () => {
    await failsToStart('garbage', /it prints text where protocol messages belong: "Welcome to line \d+"/);
  });

  test('refuses a line without end', async () => {
    await failsToStart('flood', /it printed a line of more than 16 MiB/);
  });

  test('gives up on a program that never answers', async () => {
    await failsToStart('mute', /it did not answer within 0\.5 s/, 500);
  });

  test('refuses a version other than the pinned one', async () => {
    await failsToStart('old', /it is version 0\.0\.9, but 1\.0\.0 is pinned/);
  });

  test('tells of a program that wants a login', async () => {
    await failsToStart('login', /it wants a login, though it was given the gateway/);
  });

  test('passes over a banner, and shows it', async () => {
    await scene('banner', { text: 'all done' }, async ({ agent, told }) => {
      assert.deepEqual(await agent.start(), { version: '1.0.0' });
      assert.equal((await agent.runTask({ phase: 'execute', prompt: 'x' })).stop, 'done');
      await agent.stop();
      assert.ok(
        told.events.some((event) => event.type === 'output' && event.text.includes('all rights reserved')),
      );
    });
  });

  test('says that a program is missing from the tool directory, and how to get it', async () => {
    await scene('none', { text: 'x' }, async ({ told }) => {
      const error = await rejection(createAgent('qwen-coder', told.context).start());
      assert.equal(error.code, 'ERR_AGENT_MISSING');
      assert.equal(error.remedy, 'Run `autocode agent install qwen-coder`.');
    });
  });

  test('fails the turn of a program that exits 0 in the middle of it', async () => {
    await scene('quit', { text: 'x' }, async ({ agent }) => {
      await agent.start();
      const result = await agent.runTask({ phase: 'execute', prompt: 'x' });
      assert.deepEqual(result, { stop: 'failed', text: '', error: 'Fixture: the agent exited with code 0' });
    });
  });

  test('kills an agent that does not heed a cancel, and what it started, within seconds', async () => {
    const script = { tool: 'shell', input: { command: 'touch started; setsid sleep 300 & wait' } };
    await scene('ignore-cancel', script, async ({ agent, told, sandbox }) => {
      await agent.start();
      const turn = agent.runTask({ phase: 'execute', prompt: 'x' });
      await toolRuns(told);
      const began = Date.now();
      told.cancel.abort();
      assert.equal((await turn).stop, 'cancelled');
      assert.ok(Date.now() - began < 8000, `it took ${Date.now() - began} ms`);
      assert.deepEqual(sandbox.processes(), []);
    });
  });

  test('asks again for the plan when a refused tool ended the turn', async () => {
    const script = ({ prompt }: Conversation): Reply =>
      prompt.includes('is not available now')
        ? { text: 'the plan' }
        : { tool: 'shell', input: { command: 'true' } };
    await scene('refusal-ends', script, async ({ agent }) => {
      await agent.start();
      assert.deepEqual(await agent.runTask({ phase: 'plan', prompt: 'Plan' }), {
        stop: 'done',
        text: 'the plan',
        error: null,
      });
    });
  });

  test('an interrupted turn ends at once, and the session goes on with what was said before', async () => {
    const script = ({ prompt }: Conversation): Reply =>
      prompt === 'first' ? { hang: true } : { text: 'heard' };
    await scene('none', script, async ({ agent, model }) => {
      await agent.start();
      const turn = agent.runTask({ phase: 'execute', prompt: 'first' });
      await model.askedTimes(1);
      agent.interrupt();
      assert.equal((await turn).stop, 'interrupted');
      const next = await agent.runTask({ phase: 'execute', prompt: 'second' });
      assert.deepEqual([next.stop, next.text], ['done', 'heard']);
      agent.interrupt(); // between turns it does nothing
      assert.equal((await agent.runTask({ phase: 'execute', prompt: 'third' })).stop, 'done');
    });
  });

  test('an interruption that comes before the prompt has left is not lost', async () => {
    await scene('none', { hang: true }, async ({ agent }) => {
      await agent.start();
      const turn = agent.runTask({ phase: 'plan', prompt: 'x' });
      agent.interrupt();
      assert.equal((await turn).stop, 'interrupted');
    });
  });

  test('a kind of tool that the project denies is refused, told to the agent with the reason, and noted', async () => {
    const script = ({ prompt, results }: Conversation): Reply => {
      if (prompt.includes('A tool was refused: the project denies tools of the kind execute'))
        return { text: 'ok' };
      return results.length === 0 ? { tool: 'shell', input: { command: 'touch used' } } : { text: '' };
    };
    await scene('none', script, async ({ agent, told, sandbox }) => {
      told.context.permissions = { execute: 'deny' };
      await agent.start();
      const { stop, text } = await agent.runTask({ phase: 'execute', prompt: 'x' });
      assert.deepEqual([stop, text], ['done', 'ok']);
      assert.ok(!existsSync(join(sandbox.workspace, 'used')));
      const notice = told.events.find((event) => event.type === 'notice');
      assert.deepEqual(notice, {
        type: 'notice',
        text: 'Refused to the agent: shell; the project denies tools of the kind execute.',
      });
    });
  });

  test('an agent that uses a denied tool without asking fails its turn', async () => {
    const script = { tool: 'shell', input: { command: 'true' } };
    await scene('unasked', script, async ({ agent, told }) => {
      told.context.permissions = { execute: 'deny' };
      await agent.start();
      const { stop, error } = await agent.runTask({ phase: 'execute', prompt: 'x' });
      assert.equal(stop, 'failed');
      assert.match(error ?? '', /used a tool of the kind execute without asking, which the project denies/);
    });
  });

  test("tells the agent's own steps", async () => {
    await scene('steps', { text: 'x' }, async ({ agent, told }) => {
      await agent.start();
      await agent.runTask({ phase: 'execute', prompt: 'x' });
      const steps = [
        { title: 'Look around', status: 'completed' },
        { title: 'change it', status: 'in-progress' },
      ];
      assert.deepEqual(told.plans, [steps]);
    });
  });

  test('does nothing once the run is cancelled, and may be stopped at any time', async () => {
    await scene('none', { text: 'x' }, async ({ agent, told, sandbox }) => {
      await agent.stop();
      told.cancel.abort();
      assert.equal((await agent.runTask({ phase: 'execute', prompt: 'x' })).stop, 'cancelled');
      await rejection(agent.start());
      await agent.stop();
      assert.deepEqual(sandbox.processes(), []);
    });
  });

  test('writes its settings into the home of the run', async () => {
    await scene('none', { text: 'x' }, async ({ agent, sandbox }) => {
      await agent.start();
      assert.equal(await readFile(join(sandbox.home, '.fixture/settings.json'), 'utf8'), '{}');
    });
  });

  test('an unknown name lists the known ones', async () => {
    await scene('none', { text: 'x' }, async ({ told }) => {
      assert.throws(() => createAgent('qwen', told.context), {
        code: 'ERR_AGENT_UNKNOWN',
        message: 'There is no agent "qwen"; did you mean "qwen-coder"?',
        remedy: `Use one of: ${AGENT_NAMES.join(', ')}.`,
      });
    });
  });
});

interface Scene {
  model: ScriptedModel;
  agent: AcpAgent;
  told: Told;
  sandbox: ScratchSandbox;
}

async function scene(
  fault: string,
  script: Reply | ((conversation: Conversation) => Reply),
  body: (scene: Scene) => Promise<void>,
  startTimeoutMs?: number,
): Promise<void> {
  const model = await startScriptedModel(typeof script === 'function' ? script : () => script);
  const sandbox = await openScratchSandbox(model.url, { toolDir: '/nonexistent' });
  const told = collect(sandbox, {}, '/nonexistent');
  const agent = new AcpAgent(told.context, fixtureProfile(fault), startTimeoutMs);
  try {
    await body({ agent, told, sandbox, model });
    await agent.stop();
    assert.deepEqual(sandbox.processes(), []);
  } finally {
    await sandbox.close();
    await model.close();
  }
}

async function failsToStart(fault: string, message: RegExp, startTimeoutMs?: number): Promise<void> {
  await scene(
    fault,
    { text: 'x' },
    async ({ agent, sandbox }) => {
      const error = await rejection(agent.start());
      assert.equal(error.code, 'ERR_AGENT_FAILED');
      assert.match(error.message, message);
      assert.deepEqual(sandbox.processes(), []);
    },
    startTimeoutMs,
  );
}

async function rejection(promise: Promise<unknown>): Promise<AutocodeError> {
  return await promise.then(
    () => assert.fail('it did not fail'),
    (error: AutocodeError) => error,
  );
}

/** Waits until the agent's tool call is told. */
async function toolRuns(told: Told): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!told.events.some((event) => event.type === 'tool_call')) {
    assert.ok(Date.now() < deadline, 'no tool call within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
