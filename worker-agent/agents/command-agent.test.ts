import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { TurnResult } from './coding-agent.ts';
import { CommandAgent } from './command-agent.ts';
import { conformance } from './conformance.ts';
import { openScratchSandbox, type ScratchSandbox } from './scratch.ts';
import { collect, type Told } from './testing/collect.ts';

conformance('A command', {
  create: (context) => new CommandAgent(context),
  agent: { command: [process.execPath, join(import.meta.dirname, 'fixtures/command-agent.ts')] },
  toolDir: '/nonexistent',
  write: (path, text) => ({ tool: 'shell', input: { command: `printf %s '${text}' > ${path}` } }),
  shell: (command) => ({ tool: 'shell', input: { command } }),
  countsTokens: false,
});

describe('the command agent', () => {
  test('gives the task on stdin and in a file outside the work tree', async () => {
    await command(
      'cat; echo; cat "$AUTOCODE_PROMPT_FILE"; case $AUTOCODE_PROMPT_FILE in $PWD/*) exit 1;; esac',
      ({ result }) => {
        assert.deepEqual(result, { stop: 'done', text: 'Fix it\nFix it', error: null });
      },
    );
  });

  test('passes the model relay and no key', async () => {
    await command('echo $OPENAI_BASE_URL $ANTHROPIC_BASE_URL $OPENAI_API_KEY', ({ result }) => {
      assert.equal(result.text, 'http://127.0.0.1:9/v1 http://127.0.0.1:9 added-by-the-relay');
    });
  });

  test('fails with the last lines when the exit code is not 0', async () => {
    await command('echo working; echo "cannot find it" >&2; exit 4', ({ result, told }) => {
      assert.deepEqual(result, {
        stop: 'failed',
        text: 'working',
        error: 'sh exited with code 4: cannot find it',
      });
      assert.ok(told.events.some((event) => event.type === 'output' && event.source === 'agent:stderr'));
    });
  });

  test('says so when the program does not exist', async () => {
    await scene({ command: ['no-such-program'] }, async ({ agent }) => {
      const result = await agent.runTask({ phase: 'execute', prompt: 'Fix it' });
      assert.match(String(result.error), /^no-such-program could not be started \(exit code 127\)/);
    });
  });

  test('wants a program', async () => {
    await scene({ command: null }, async ({ agent }) => {
      await assert.rejects(agent.start(), { code: 'ERR_INVALID_INPUT' });
    });
  });

  test('keeps raw bytes, and shows them without escape sequences and control characters', async () => {
    await command(`printf '\\033[31mred\\033[0m\\000\\377 end'`, ({ result, told }) => {
      assert.equal(result.text, 'red\ufffd\ufffd end');
      assert.deepEqual(Buffer.concat(told.raw), Buffer.from('\u001b[31mred\u001b[0m\0\xff end', 'latin1'));
      assert.deepEqual(
        told.events.map((event) => (event.type === 'message' ? event.text : event)),
        ['red\ufffd\ufffd end'],
      );
    });
  });

  test('does not wait for a child that keeps the pipe open', async () => {
    await command('setsid sleep 300 & echo started', ({ result }) => {
      assert.deepEqual(result, { stop: 'done', text: 'started', error: null });
    });
  });

  test('survives a program that reads nothing of a large task', async () => {
    await scene({ command: ['true'] }, async ({ agent }) => {
      assert.equal((await agent.runTask({ phase: 'execute', prompt: 'x'.repeat(4 << 20) })).stop, 'done');
    });
  });

  test('prints a gigabyte without filling memory or the events', async () => {
    let bytes = 0;
    await scene(
      { command: ['sh', '-c', 'head -c 1G /dev/zero; echo; echo the end'] },
      async ({ agent, told }) => {
        told.context.raw = (chunk) => void (bytes += chunk.length);
        const before = process.memoryUsage().rss;
        const result = await agent.runTask({ phase: 'execute', prompt: 'x' });
        assert.ok(process.memoryUsage().rss - before < 400 << 20, 'memory grew with the output');
        assert.equal(bytes, 1024 ** 3 + '\nthe end\n'.length);
        assert.equal(result.stop, 'done');
        assert.match(result.text, /the end$/);
        const told1 = told.events.reduce(
          (sum, event) => sum + (event.type === 'message' ? event.text.length : 0),
          0,
        );
        assert.ok(told1 <= 1 << 20);
        assert.ok(told.events.some((event) => event.type === 'notice' && /left out/.test(event.text)));
      },
    );
  });

  test('kills a program that ignores SIGTERM soon after a cancel', async () => {
    await scene(
      { command: ['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 1; done'] },
      async ({ agent, told, sandbox }) => {
        const turn = agent.runTask({ phase: 'execute', prompt: 'x' });
        const deadline = Date.now() + 10_000;
        while (told.events.length === 0 && Date.now() < deadline)
          await new Promise((resolve) => setTimeout(resolve, 10));
        const began = Date.now();
        told.cancel.abort();
        assert.equal((await turn).stop, 'cancelled');
        assert.ok(Date.now() - began < 8000, `it took ${Date.now() - began} ms`);
        assert.deepEqual(sandbox.processes(), []);
      },
    );
  });
});

interface Scene {
  agent: CommandAgent;
  told: Told;
  sandbox: ScratchSandbox;
}

async function scene(
  agentOptions: { command: string[] | null },
  body: (scene: Scene) => Promise<void>,
): Promise<void> {
  const sandbox = await openScratchSandbox('http://127.0.0.1:9', { toolDir: '/nonexistent' });
  const told = collect(sandbox, agentOptions, '/nonexistent');
  const agent = new CommandAgent(told.context);
  try {
    await body({ agent, told, sandbox });
    await agent.stop();
  } finally {
    await sandbox.close();
  }
}

/** Runs one turn of a shell script as the command. */
async function command(
  script: string,
  body: (ended: { result: TurnResult; told: Told }) => void,
): Promise<void> {
  await scene({ command: ['sh', '-c', script] }, async ({ agent, told }) => {
    await agent.start();
    body({ result: await agent.runTask({ phase: 'execute', prompt: 'Fix it' }), told });
  });
}
