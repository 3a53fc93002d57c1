// What the pipeline does where budgets leave nothing: before a turn, after one, and when the work is done.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { RunBudget } from '../../protocol/budget.ts';
import { UNBOUND } from '../agents/coding-agent.ts';
import type { FakeRun } from '../testing/fake-orchestrator.ts';
import { pipelinePlace, type Act, type PipelineDone } from '../testing/pipeline-run.ts';

const reason = 'The budget of project shop (1.00 EUR a day) is used up.';
const usedUp: RunBudget = { ...UNBOUND, ok: false, reason };
const write = (tree: string, text: string) => writeFileSync(path.join(tree, 'answer.txt'), text);
const phases = ({ turns }: PipelineDone) => turns.map(({ phase }) => phase);

interface Case {
  name: string;
  plans?: boolean;
  budget?: RunBudget;
  /** What the agent does in its working turns, and what the ledger answers from then on. */
  work?: (tree: string) => { budget: RunBudget; stop?: 'done' | 'failed' };
  outcome: string;
  turns: string[];
}

const CASES: Case[] = [
  { name: 'no turn is begun without a budget', budget: usedUp, outcome: 'out-of-budget', turns: [] },
  {
    name: 'no plan is asked for without a budget',
    plans: true,
    budget: usedUp,
    outcome: 'out-of-budget',
    turns: [],
  },
  {
    name: 'work that fails its checks is not gone on with when nothing is left',
    work: (tree) => (write(tree, '43\n'), { budget: usedUp }),
    outcome: 'out-of-budget',
    turns: ['execute'],
  },
  {
    name: 'work that was finished with the last of it is verified',
    work: (tree) => (write(tree, '42\n'), { budget: usedUp }),
    outcome: 'verified',
    turns: ['execute'],
  },
  {
    name: 'a turn that failed while nothing was left is out of budget',
    work: (tree) => (write(tree, '43\n'), { budget: usedUp, stop: 'failed' }),
    outcome: 'out-of-budget',
    turns: ['execute'],
  },
  {
    name: 'a refused call counts, though the agent calls it done',
    work: (tree) => (write(tree, '43\n'), { budget: { ...usedUp, refused: reason } }),
    outcome: 'out-of-budget',
    turns: ['execute'],
  },
];

for (const { name, plans = false, budget = UNBOUND, work, outcome, turns } of CASES) {
  test(name, async () => {
    let run: FakeRun | undefined;
    const act: Act = (_turn, tree) => {
      const done = work?.(tree);
      if (done === undefined) return;
      run!.budget = done.budget;
      return { stop: done.stop ?? 'done', error: done.stop === 'failed' ? 'it broke' : null };
    };
    await using place = await pipelinePlace();
    const begin = (given: FakeRun) => Object.assign((run = given), { budget });
    const done = await place.try({ act, plans, begin });
    assert.equal(done.report.outcome, outcome, done.report.reason);
    if (outcome === 'out-of-budget') assert.equal(done.report.reason, reason);
    assert.deepEqual(phases(done), turns);
    if (turns.length === 0) return;
    const counted = { inputTokens: 100, cachedTokens: 0, outputTokens: 0 };
    assert.deepEqual(done.report.agentTokens, counted, 'what the agent counted is in its report');
    const notices = done.events.flatMap((event) => (event.type === 'notice' ? [event.text] : []));
    assert.match(notices.join('\n'), /The agent counts 100 tokens more than were metered, 0 tokens/);
    if (outcome === 'out-of-budget') assert.equal(done.show('answer.txt'), '43\n', 'its work is kept');
    else assert.deepEqual(run!.progress.findLast(({ agentTokens }) => agentTokens)?.agentTokens, counted);
  });
}

test('an agent that goes on and on though it is refused is stopped, and its work is kept', async () => {
  let run: FakeRun | undefined;
  const act: Act = async (_turn, tree) => {
    write(tree, '43\n');
    run!.budget = { ...usedUp, refused: reason };
    await new Promise(() => {});
  };
  await using place = await pipelinePlace();
  const done = await place.try({ act, begin: (given) => (run = given) });
  assert.deepEqual([done.report.outcome, done.report.reason], ['out-of-budget', reason]);
  assert.equal(done.show('answer.txt'), '43\n');
});
