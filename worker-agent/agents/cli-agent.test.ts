// What CliAgent does with programs that go wrong: shell scripts as the program, with a profile that reads their lines as they are.
// The conformance of the real ones is beside this file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliAgent } from './cli-agent.ts';
import type { CliProfile, CliTurn, Fact } from './cli-profiles/profile.ts';
import type { TurnResult } from './coding-agent.ts';
import { openScratchSandbox } from './scratch.ts';
import { collect, type Told } from './testing/collect.ts';

const DONE = `echo '{"ended":"done","error":null}'`;

interface Ended {
  results: TurnResult[];
  told: Told;
  turns: CliTurn[];
  overBudget: boolean;
}

/** Takes two turns with a shell script as the program; its lines of output are facts. */
async function takeTurns(script: string, body: (ended: Ended) => void): Promise<void> {
  const turns: CliTurn[] = [];
  const profile: CliProfile = {
    name: 'script',
    title: 'Script',
    version: '1.0.0',
    plans: false,
    program: () => ['sh', '-c', `[ "$1" = --version ] && { echo v1.0.0; exit; }; ${script}`, 'script'],
    settings: () => ({ env: {}, files: {} }),
    turn: (turn) => {
      turns.push(turn);
      return { args: [], input: turn.prompt };
    },
    read: (line) => [line as Fact],
    remedies: [{ error: /log in/, remedy: 'Log in' }],
  };
  const sandbox = await openScratchSandbox('http://127.0.0.1:9', { toolDir: '/nonexistent' });
  const told = collect(sandbox, {}, '/nonexistent');
  const agent = new CliAgent(told.context, profile);
  try {
    await agent.start();
    const results = [await agent.runTask({ phase: 'execute', prompt: 'Fix it' })];
    results.push(await agent.runTask({ phase: 'adjust', prompt: 'Again' }));
    body({ results, told, turns, overBudget: !(await agent.budgetCheck()).ok });
  } finally {
    await agent.stop();
    await sandbox.close();
  }
}

test('how a turn ended is what the program says, whatever its exit code', async () => {
  for (const { script, stop, error } of [
    { script: `${DONE}; exit 3`, stop: 'done', error: null },
    { script: `echo '{"ended":"failed","error":"no model"}'`, stop: 'failed', error: 'Script: no model' },
    {
      script: `echo '{"ended":"limit","error":"turns"}'; exit 1`,
      stop: 'limit',
      error: 'Script: turns',
    },
    { script: 'true', stop: 'failed', error: 'Script: the program ended without a result' },
    {
      script: 'echo Hello; echo "bad option" >&2; exit 2',
      stop: 'failed',
      error: 'Script: the program exited with code 2: bad option',
    },
    {
      script: `echo '{"ended":"failed","error":"please log in"}'`,
      stop: 'failed',
      error: 'Script: please log in. Log in',
    },
  ]) {
    await takeTurns(script, ({ results }) => {
      assert.deepEqual({ stop: results[0]?.stop, error: results[0]?.error }, { stop, error }, script);
    });
  }
});

test('the next turn goes on with the conversation', async () => {
  await takeTurns(`echo '{"session":"s1"}'; ${DONE}`, ({ turns }) => {
    assert.deepEqual(
      turns.map(({ session, prompt }) => [session, prompt]),
      [
        [null, 'Fix it'],
        ['s1', 'Again'],
      ],
    );
  });
});

test('a refusal for want of budget is kept', async () => {
  await takeTurns(`echo '{"ended":"failed","error":"402 no budget"}'`, ({ overBudget }) => {
    assert.ok(overBudget);
  });
});

test('text that does not belong is shown apart', async () => {
  await takeTurns(`echo Welcome; ${DONE}`, ({ told }) => {
    assert.deepEqual(told.events[0], { type: 'output', source: 'agent:stdout', text: 'Welcome\n' });
  });
});

test('a flood without a line break ends the turn', async () => {
  await takeTurns('yes | tr -d "\\n"', ({ results }) => {
    assert.equal(results[0]?.error, 'Script: it printed a line of more than 16 MiB');
  });
});
