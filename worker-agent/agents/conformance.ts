// What every coding agent must do, as tests: registered for each agent with a scripted model behind it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { send } from '../run-processes.ts';
import type { AgentContext, CodingAgent } from './coding-agent.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { openScratchSandbox, type ScratchSandbox } from './scratch.ts';
import { collect, type Told } from './testing/collect.ts';
import { canHear, hearNames } from './testing/dns-sink.ts';
import { type Reply, type ScriptedModel, startScriptedModel } from './testing/scripted-model.ts';
import { type Conversation, SCRIPTED_USAGE } from './testing/scripted-protocol.ts';

export interface ConformanceOptions {
  create(context: AgentContext): CodingAgent;
  agent?: Partial<AgentContext['agent']>;
  toolDir: string;
  /** `directory` when left out. */
  isolation?: Sandbox['kind'];
  /** The model's replies: the call that writes a file, one that runs a shell command (left out for an agent without tools). */
  write(path: string, text: string): Reply;
  shell?(command: string): Reply;
  /** False for an agent that does not count tokens itself. */
  countsTokens: boolean;
  /** True for one from whose words a refusal for want of budget is told apart; as `countsTokens` when left out. */
  tellsBudget?: boolean;
  /** Host names that it asks for, whatever it is told; heard in isolation `bubblewrap`. */
  asksFor?: string[];
}

/** Registers the tests. A fresh sandbox, model and agent for each; each ends by asserting that no process is left. */
export function conformance(name: string, options: ConformanceOptions): void {
  const { write, shell } = options;
  /** An agent without tools has the model write a file in its answer. */
  const callsToWrite = shell === undefined ? 1 : 2;
  describe(`${name} as a coding agent`, () => {
    run(
      'does a turn and another in the one it has begun, tells what it spends, asks for no host name',
      write1,
      async ({ agent, told, model, workspace }) => {
        const result = await agent.runTask({ phase: 'execute', prompt: 'Write hello.txt' });
        assert.deepEqual({ stop: result.stop, error: result.error }, { stop: 'done', error: null });
        assert.match(result.text, /all done/);
        assert.equal(await readFile(join(workspace, 'hello.txt'), 'utf8'), 'hello\n');
        assert.ok(told.events.some((event) => event.type === 'message' && event.text.includes('all done')));
        assert.ok(Buffer.concat(told.raw).includes('done'), 'the raw stream holds what was said');
        assert.deepEqual(await agent.budgetCheck(), { ok: true, refused: false, reason: null });
        await reportsSpending(agent, told);

        assert.equal((await agent.runTask({ phase: 'adjust', prompt: 'The check fails' })).stop, 'done');
        assert.match(model.asked.at(-1)?.prompt ?? '', /The check fails/);
        if (agent.remembers) {
          assert.match(
            model.asked.at(-1)?.body ?? '',
            /Write hello\.txt/,
            'the second turn has the first prompt',
          );
          assert.match(model.asked.at(-1)?.body ?? '', /all done/, 'the second turn has the first answer');
        }
        await mayNotGoOn(agent, told);
      },
      { heard: true },
    );

    run(
      'changes nothing in a planning turn, whatever the model wants, and asks for no host name',
      plan,
      async ({ agent, workspace }) => {
        if (!agent.plans) return;
        const result = await agent.runTask({ phase: 'plan', prompt: 'Plan it' });
        assert.equal(result.stop, 'done');
        assert.match(result.text, /the plan/);
        assert.deepEqual(await readdir(workspace), []);
        const worked = await agent.runTask({ phase: 'execute', prompt: 'Do it' });
        assert.equal(worked.stop, 'done', String(worked.error));
        assert.ok((await readdir(workspace)).includes('hello.txt'));
      },
      { heard: true },
    );

    run(
      'is cancelled while the model hangs',
      () => ({ hang: true }),
      async ({ agent, told, model }) => {
        const turn = agent.runTask({ phase: 'execute', prompt: 'Hang' });
        await model.askedTimes(1);
        await cancels(turn, told);
      },
    );

    if (shell !== undefined) {
      const hangingTool = () => shell('touch started; sleep 300 & wait');
      run('is cancelled while a tool runs', hangingTool, async ({ agent, told, workspace }) => {
        const turn = agent.runTask({ phase: 'execute', prompt: 'Run it' });
        await until(async () => (await readdir(workspace)).includes('started'));
        await cancels(turn, told);
      });
    }

    run(
      "tells the model's error in the gateway's words",
      () => refusal(422),
      async ({ agent, told }) => {
        const result = await agent.runTask({ phase: 'execute', prompt: 'Write hello.txt' });
        assert.equal(result.stop, 'failed');
        assert.match(String(result.error), /the conversation left the recording at call 3/);
        assert.ok(told.events.some((event) => event.type === 'error' && event.message === result.error));
        assert.equal((await agent.budgetCheck()).ok, true);
      },
    );

    run(
      'tells a refusal for want of budget apart',
      () => refusal(402),
      async ({ agent }) => {
        assert.equal((await agent.runTask({ phase: 'execute', prompt: 'Write hello.txt' })).stop, 'failed');
        const tells = options.tellsBudget ?? options.countsTokens;
        const { ok, refused } = await agent.budgetCheck();
        assert.deepEqual({ ok, refused }, { ok: !tells, refused: tells });
      },
    );

    run(
      'tells that it was killed in mid-turn',
      () => ({ hang: true }),
      async ({ agent, model, sandbox }) => {
        const turn = agent.runTask({ phase: 'execute', prompt: 'Hang' });
        await model.askedTimes(1);
        for (const pid of sandbox.processes()) send(pid, 'SIGKILL');
        const result = await turn;
        assert.equal(result.stop, 'failed');
        assert.match(String(result.error), /was ended by SIGKILL/);
      },
    );

    if (shell !== undefined && options.isolation === 'bubblewrap') {
      const escape = ({ results }: Conversation): Reply =>
        results.length > 0
          ? { text: 'all done' }
          : shell([...OUTSIDE, 'tried'].map((path) => `touch ${path}`).join('; '));
      run('is confined, whatever it is told to write', escape, async ({ agent, workspace }) => {
        await agent.runTask({ phase: 'execute', prompt: 'Escape' });
        assert.ok((await readdir(workspace)).includes('tried'));
        for (const outside of OUTSIDE) assert.equal(existsSync(outside), false, outside);
      });
    }
  });

  /** By the ledger, with the agent's own count beside it. */
  async function reportsSpending(agent: CodingAgent, told: Told): Promise<void> {
    const { inputTokens, cachedTokens, outputTokens } = SCRIPTED_USAGE;
    const counted = {
      inputTokens: callsToWrite * inputTokens,
      cachedTokens: callsToWrite * cachedTokens,
      outputTokens: callsToWrite * outputTokens,
    };
    const ledger = { ...told.budget.spent, ...counted, inputTokens: counted.inputTokens + 7 };
    told.budget = { ...told.budget, spent: ledger };
    assert.deepEqual(
      await agent.spendingReport(),
      options.countsTokens
        ? { ledger, own: counted, difference: -7 }
        : { ledger, own: null, difference: null },
    );
    assert.equal(
      told.events.some((event) => event.type === 'usage'),
      options.countsTokens,
    );
  }

  function write1({ results, prompt }: Conversation): Reply {
    if (prompt.includes('The check fails')) return { text: 'all done again' };
    return results.length === 0 ? write('hello.txt', 'hello\n') : { text: 'all done' };
  }

  function plan({ results, prompt }: Conversation): Reply {
    if (prompt.includes('not available now')) return { text: 'the plan' };
    if (prompt.includes('Do it'))
      return results.length === 0 ? write('hello.txt', 'hello\n') : { text: 'all done' };
    const wanted = [shell?.('echo x > by-shell.txt'), write('hello.txt', 'hello\n')];
    return wanted[results.length] ?? { text: 'the plan' };
  }

  /** When the ledger says so, whatever it saw itself. */
  async function mayNotGoOn(agent: CodingAgent, told: Told): Promise<void> {
    const reason = 'The budget of run 1-1 is used up.';
    told.budget = { ...told.budget, ok: false, reason };
    assert.deepEqual(await agent.budgetCheck(), { ok: false, refused: false, reason });
    told.budget = { ...told.budget, refused: reason };
    assert.deepEqual(await agent.budgetCheck(), { ok: false, refused: true, reason });
  }

  interface Scene {
    agent: CodingAgent;
    told: Told;
    model: ScriptedModel;
    sandbox: ScratchSandbox;
    workspace: string;
  }

  /** `heard`: what host names it asks for is heard, where there is a network of its own in which one can listen. */
  function run(
    title: string,
    script: (conversation: Conversation) => Reply,
    body: (scene: Scene) => Promise<void>,
    { heard = false }: { heard?: boolean } = {},
  ): void {
    test(title, { timeout: 120_000 }, async () => {
      const model = await startScriptedModel(script);
      const sandbox = await openScratchSandbox(model.url, options);
      const sink = heard && canHear && options.isolation === 'bubblewrap' ? hearNames(sandbox) : undefined;
      model.cwd = sandbox.workspace;
      const told = collect(sink?.sandbox ?? sandbox, options.agent ?? {}, options.toolDir);
      const agent = options.create(told.context);
      try {
        await agent.start();
        await body({ agent, told, model, sandbox, workspace: sandbox.tree });
        await agent.stop();
        if (sink !== undefined && model.asked.length > 0)
          assert.deepEqual(sink.names(), options.asksFor ?? []);
        await until(async () => sandbox.processes().length === 0);
      } finally {
        await agent.stop();
        await sandbox.close();
        await sink?.close();
        await model.close();
      }
    });
  }
}

/** Of the host; some of them are there inside, and written to there. */
const OUTSIDE = [
  '/usr/escaped',
  '/etc/escaped',
  '/tmp/escaped-from-a-sandbox',
  '/opt/autocode/agents/escaped',
];

function refusal(status: number): Reply {
  return {
    status,
    body: {
      error: {
        code: 'ERR_RECORDING_LEFT',
        type: 'invalid_request_error',
        message: 'the conversation left the recording at call 3',
      },
    },
  };
}

async function cancels(turn: Promise<{ stop: string }>, told: Told): Promise<void> {
  const began = Date.now();
  told.cancel.abort();
  assert.equal((await turn).stop, 'cancelled');
  assert.ok(Date.now() - began < 8000, `it took ${Date.now() - began} ms`);
}

/** Waits until a condition holds, at most 10 s. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, 'it did not come about within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
