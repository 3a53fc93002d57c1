// Messages of people, plans that they approve and what agents say of their own plans, in the whole pipeline.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Message } from '../../protocol/message.ts';
import type { Plan } from '../../protocol/run.ts';
import { pipelinePlace, type Act, type PipelineDone } from '../testing/pipeline-run.ts';

const answer = (tree: string, text: string) => writeFileSync(path.join(tree, 'answer.txt'), text);
const message = (number: number, text: string): Message => ({
  number,
  author: 'ann',
  text,
  at: '2026-11-20T10:00:00.000Z',
});
const PLAN = '{"summary": "Set it", "steps": ["find", "set"]}';
const plan = (...titles: string[]): Plan => ({
  summary: 'Set it',
  steps: titles.map((title) => ({ title, status: 'pending' })),
});
const phases = ({ turns }: PipelineDone) => turns.map(({ phase }) => phase);
/** How often a text was told to the agent, by turn. */
const told = ({ turns }: PipelineDone, text: string) =>
  turns.map(({ prompt }) => prompt.split(text).length - 1);

test('a message interrupts the turn, is the next thing that the agent is told, and is acknowledged', async () => {
  const act: Act = async ({ phase, prompt }, tree, { say, interrupted }) => {
    if (phase === 'plan') return { text: PLAN };
    if (prompt.includes('Make it 42')) return answer(tree, '42\n');
    say('Make it 42');
    await interrupted;
    return { stop: 'interrupted' };
  };
  await using place = await pipelinePlace();
  const done = await place.try({ act, plans: true });
  assert.equal(done.report.outcome, 'verified');
  assert.equal(done.report.iterations, 1);
  assert.deepEqual(phases(done), ['plan', 'execute', 'execute']);
  assert.deepEqual(told(done, 'Make it 42'), [0, 0, 1]);
  assert.match(done.turns[2]!.prompt, /^You were interrupted/);
  assert.equal(done.run.delivered, 1);
  assert.equal(done.run.steerable, false);
  assert.deepEqual(
    done.events.filter((event) => event.type === 'message' && event.role === 'person'),
    [{ type: 'message', role: 'person', text: 'ann: Make it 42' }],
  );
});

test('a message to an agent that cannot be interrupted comes with the failing checks, in one prompt', async () => {
  const act: Act = ({ phase }, tree, { say }) => {
    answer(tree, phase === 'execute' ? '43\n' : '42\n');
    if (phase === 'execute') say('Mind the tabs');
  };
  await using place = await pipelinePlace();
  const done = await place.try({ act });
  assert.equal(done.report.outcome, 'verified');
  assert.deepEqual(told(done, 'Mind the tabs'), [0, 1]);
  assert.match(done.turns[1]!.prompt, /1 of 1 checks do not pass/);
  assert.match(done.turns[1]!.prompt, /^Task: Make it work$/m);
});

test('a message that comes when all checks pass is worked on before the run ends, beyond the limit too', async () => {
  const act: Act = ({ phase }, tree, { say }) => {
    answer(tree, phase === 'execute' ? '42\n' : '42 of course\n');
    if (phase === 'execute') say('Say of course');
  };
  await using place = await pipelinePlace();
  const limits = { maxIterations: 1, verifyTimeoutSeconds: 60, verifyOutputBytes: 1000 };
  const done = await place.try({ act, order: { limits } });
  assert.equal(done.report.outcome, 'verified');
  assert.match(done.turns[1]!.prompt, /^All checks pass, but a person has something to say/);
  assert.equal(done.show('answer.txt'), '42 of course\n');
  assert.equal(done.run.delivered, 1);
});

test('one that comes while the last checks are run is not lost: the orchestrator tells it when the agent is done', async () => {
  await using place = await pipelinePlace();
  const done = await place.try({
    act: ({ phase }, tree) => answer(tree, phase === 'execute' ? '42\n' : '42 too\n'),
    // Sent to the orchestrator alone, as if the signal were still under way.
    begin: (run) => run.messages.push(message(1, 'Say too')),
  });
  assert.deepEqual(told(done, 'Say too'), [0, 1]);
  assert.equal(done.show('answer.txt'), '42 too\n');
});

test('messages from before the run are in its first prompt, once, in their order', async () => {
  const act: Act = ({ phase }, tree) => (phase === 'plan' ? { text: PLAN } : answer(tree, '42\n'));
  await using place = await pipelinePlace();
  const messages = [message(1, 'first this'), message(2, 'then that')];
  const done = await place.try({ act, plans: true, order: { messages } });
  assert.deepEqual(phases(done), ['plan', 'execute']);
  assert.match(done.turns[0]!.prompt, /ann: first this[\s\S]*ann: then that/);
  assert.deepEqual(told(done, 'ann: '), [2, 0]);
  assert.equal(done.run.delivered, 2);
});

test('a message while the plan is made has the plan made with it in view', async () => {
  const act: Act = async ({ phase, prompt }, tree, { say }) => {
    if (phase !== 'plan') return answer(tree, '42\n');
    if (prompt.includes('in two steps')) return { text: PLAN };
    say('in two steps');
    return { text: '{"steps": ["one"]}' };
  };
  await using place = await pipelinePlace();
  const done = await place.try({ act, plans: true });
  assert.deepEqual(phases(done), ['plan', 'plan', 'execute']);
  assert.deepEqual(
    done.report.plan?.steps.map(({ title }) => title),
    ['find', 'set'],
  );
});

test('behind the gate the run ends with its plan, and nothing is changed or pushed', async () => {
  await using place = await pipelinePlace();
  const planning = { only: true, approved: null, rejected: plan('guess') };
  const done = await place.try({ act: () => ({ text: PLAN }), plans: true, order: { planning } });
  assert.deepEqual(phases(done), ['plan']);
  assert.match(done.turns[0]!.prompt, /<rejected-plan>\nSet it\n1\. guess\n<\/rejected-plan>/);
  assert.equal(done.report.outcome, 'planned');
  assert.deepEqual(done.report.plan, plan('find', 'set'));
  const steps = done.events.flatMap((event) => (event.type === 'step' ? [event.step] : []));
  assert.ok(!steps.includes('push') && !steps.includes('base-verify'));
});

test('an agent that makes no plans has the task as its one step approved, and says so', async () => {
  await using place = await pipelinePlace();
  const planning = { only: true, approved: null, rejected: null };
  const { report, turns, events } = await place.try({ act: () => ({}), order: { planning } });
  assert.equal(turns.length, 0);
  assert.deepEqual(report.plan?.steps, [{ title: 'Make it work', status: 'pending' }]);
  assert.ok(events.some((event) => event.type === 'notice' && event.text.includes('makes no plans')));
});

test('an approved plan is carried out without a planning turn, by any agent', async () => {
  await using place = await pipelinePlace();
  const planning = { only: false, approved: plan('as approved'), rejected: null };
  for (const plans of [true, false]) {
    const done = await place.try({ act: (_, tree) => answer(tree, '42\n'), plans, order: { planning } });
    assert.deepEqual(phases(done), ['execute']);
    assert.match(done.turns[0]!.prompt, /^Task: Make it work$/m);
    assert.match(done.turns[0]!.prompt, /1\. as approved/);
    assert.deepEqual(done.report.plan?.steps, [{ title: 'as approved', status: 'completed' }]);
  }
});

test("an agent's own steps join the plan, and are told within the turn", async () => {
  const act: Act = ({ phase }, tree, meanwhile) => {
    if (phase === 'plan') {
      meanwhile.plan([{ title: 'too early', status: 'pending' }]);
      return { text: PLAN };
    }
    for (const status of ['pending', 'in-progress', 'completed'] as const)
      meanwhile.plan([
        { title: 'Find', status: 'completed' },
        { title: 'tidy up', status },
      ]);
    return answer(tree, '41\n');
  };
  await using place = await pipelinePlace();
  const limits = { maxIterations: 1, verifyTimeoutSeconds: 60, verifyOutputBytes: 1000 };
  const { report, run } = await place.try({ act, plans: true, order: { limits } });
  const expected = ['find completed', 'set skipped', 'tidy up completed'];
  assert.deepEqual(
    report.plan?.steps.map(({ title, status }) => `${title} ${status}`),
    expected,
  );
  const seen = run.progress.flatMap(({ plan: steps }) => (steps ? [steps.steps.length] : []));
  assert.deepEqual(seen, [2, 2, 3], 'three updates in a row are told once');
});

test('a kind of tool that is denied needs an agent that asks; another fails the run, with the remedy', async () => {
  await using place = await pipelinePlace();
  const { report, turns } = await place.try({ act: () => ({}), order: { permissions: { execute: 'deny' } } });
  assert.deepEqual([report.outcome, report.cause, turns.length], ['failed', 'input', 0]);
  assert.match(report.reason ?? '', /denies tools of the kind execute, .* --permit execute=allow/);
});
