import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionUpdate } from '@agentclientprotocol/sdk';
import type { PlanStep } from '../../protocol/run.ts';
import type { RunEventInput } from './coding-agent.ts';
import { normaliser } from './normalise.ts';

const say = (text: string): SessionUpdate => ({
  sessionUpdate: 'agent_message_chunk',
  content: { type: 'text', text },
});

function normalised(updates: SessionUpdate[]) {
  const events: RunEventInput[] = [];
  const plans: PlanStep[][] = [];
  const context = {
    emit: (event: RunEventInput) => void events.push(event),
    plan: (steps: PlanStep[]) => void plans.push(steps),
  };
  const normalise = normaliser('/work', context);
  for (const update of updates) normalise.update(update);
  const text = normalise.endTurn();
  return { events, plans, text, counted: normalise.counted() };
}

test('pieces of a message become whole lines', () => {
  const { events, text } = normalised([say('I will '), say('fix it.\nNow'), say(' then.')]);
  assert.deepEqual(events, [
    { type: 'message', role: 'agent', text: 'I will fix it.\n' },
    { type: 'message', role: 'agent', text: 'Now then.' },
  ]);
  assert.equal(text, 'I will fix it.\nNow then.');
});

test('a long line is given out in parts of 2 KiB', () => {
  const { events } = normalised([say('x'.repeat(5000))]);
  assert.deepEqual(
    events.map((event) => event.type === 'message' && event.text.length),
    [2048, 2048, 904],
  );
});

test('thoughts and messages are told apart', () => {
  const { events, text } = normalised([
    { sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text: 'hm' } },
    say('ok'),
  ]);
  assert.deepEqual(events, [
    { type: 'message', role: 'thought', text: 'hm' },
    { type: 'message', role: 'agent', text: 'ok' },
  ]);
  assert.equal(text, 'ok');
});

test('a tool call is told whenever it changes, with paths as the repository names them, and its diffs at the end', () => {
  const { events, text } = normalised([
    say('writing'),
    { sessionUpdate: 'tool_call', toolCallId: '1', title: 'Write', kind: 'edit', status: 'pending' },
    {
      sessionUpdate: 'tool_call_update',
      toolCallId: '1',
      title: 'Write a.txt',
      status: 'in_progress',
      locations: [{ path: '/work/a.txt' }],
    },
    { sessionUpdate: 'tool_call_update', toolCallId: '1', status: 'in_progress' },
    {
      sessionUpdate: 'tool_call_update',
      toolCallId: '1',
      status: 'completed',
      content: [
        { type: 'diff', path: '/work/a.txt', oldText: '', newText: 'a' },
        { type: 'diff', path: '/etc/b.txt', oldText: 'a', newText: 'b' },
      ],
    },
    say('written'),
  ]);
  assert.deepEqual(events, [
    { type: 'message', role: 'agent', text: 'writing' },
    { type: 'tool_call', id: '1', title: 'Write', kind: 'edit', status: 'pending' },
    {
      type: 'tool_call',
      id: '1',
      title: 'Write a.txt',
      kind: 'edit',
      status: 'in_progress',
      paths: ['a.txt'],
    },
    { type: 'tool_call', id: '1', title: 'Write a.txt', kind: 'edit', status: 'completed', paths: ['a.txt'] },
    { type: 'file_change', path: 'a.txt', change: 'added' },
    { type: 'file_change', path: '/etc/b.txt', change: 'modified' },
    { type: 'message', role: 'agent', text: 'written' },
  ]);
  assert.equal(text, 'written');
});

test('what a failed tool said is shown', () => {
  const { events } = normalised([
    {
      sessionUpdate: 'tool_call_update',
      toolCallId: '1',
      title: 'Shell',
      status: 'failed',
      content: [{ type: 'content', content: { type: 'text', text: '\u001b[31mno\u001b[0m' } }],
    },
  ]);
  assert.deepEqual(events.at(-1), { type: 'output', source: 'agent:tool', text: 'no' });
});

test('usage is told for each call and summed', () => {
  const update: SessionUpdate = {
    ...say(''),
    _meta: { usage: { inputTokens: 10, outputTokens: 2, cachedReadTokens: 3 } },
  };
  const { events, counted } = normalised([update, update]);
  assert.deepEqual(
    events,
    Array(2).fill({ type: 'usage', inputTokens: 10, cachedTokens: 3, outputTokens: 2 }),
  );
  assert.deepEqual(counted, { inputTokens: 20, cachedTokens: 6, outputTokens: 4 });
});

test("the agent's own steps are told as such", () => {
  const { events, plans } = normalised([
    {
      sessionUpdate: 'plan',
      entries: [
        { content: 'read', status: 'completed', priority: 'high' },
        { content: 'write', status: 'pending', priority: 'low' },
      ],
    },
  ]);
  assert.deepEqual(events, []);
  assert.deepEqual(plans, [
    [
      { title: 'read', status: 'completed' },
      { title: 'write', status: 'pending' },
    ],
  ]);
});

test('text that waits is given out by itself', async () => {
  const given = new Promise<RunEventInput>((resolve) =>
    normaliser('/work', { emit: resolve, plan() {} }).update(say('slow')),
  );
  assert.deepEqual(await given, { type: 'message', role: 'agent', text: 'slow' });
});

test('what an agent tells of a whole turn is counted, the cached tokens counted in', () => {
  const events: RunEventInput[] = [];
  const normalise = normaliser('/work', { emit: (event) => void events.push(event), plan() {} });
  normalise.turnUsage({ inputTokens: 1600, cachedReadTokens: 400, outputTokens: 100, totalTokens: 2100 });
  normalise.turnUsage({ inputTokens: 10, cachedWriteTokens: 5, outputTokens: 1, totalTokens: 16 });
  assert.deepEqual(normalise.counted(), { inputTokens: 2015, cachedTokens: 400, outputTokens: 101 });
  assert.equal(events.filter((event) => event.type === 'usage').length, 2);
});

test("a program's own words are no message of the model", () => {
  const events: RunEventInput[] = [];
  const context = { emit: (event: RunEventInput) => void events.push(event), plan() {} };
  const normalise = normaliser('/work', context, /^Model metadata/);
  normalise.update(say('Model metadata for `x` not found.'));
  normalise.update(say('the plan'));
  assert.equal(normalise.endTurn(), 'the plan');
  assert.deepEqual(events, [
    { type: 'notice', text: 'Model metadata for `x` not found.' },
    { type: 'message', role: 'agent', text: 'the plan' },
  ]);
});
