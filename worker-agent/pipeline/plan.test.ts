// Plans out of whatever an agent answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Plan } from '../../protocol/run.ts';
import { mergePlan, oneStepPlan, parsePlan, planAtEnd, planAtWork } from './plan.ts';

const PLAN = '{"summary": "s", "steps": ["a", "b"]}';

test('a plan is found alone, in a fence, and with text around it', () => {
  const around = [
    `Sure! {so} here:\n${PLAN}\nGood luck {with} it.`,
    `I thought {"about": "a } b"}.\n${PLAN}`,
  ];
  for (const text of [PLAN, `  ${PLAN}\n`, `\`\`\`json\n${PLAN}\n\`\`\``, ...around]) {
    assert.deepEqual(
      parsePlan(text)?.steps.map(({ title }) => title),
      ['a', 'b'],
      text,
    );
  }
  assert.deepEqual(
    parsePlan('{"steps": [{"title": "a"}, {"description": "b"}]}')?.steps.map(({ title }) => title),
    ['a', 'b'],
  );
});

test('what is no plan is none', () => {
  for (const text of [
    '',
    'no',
    '{}',
    '[]',
    '{"steps": []}',
    '{"steps": ["", " "]}',
    '{"steps": 3}',
    '{'.repeat(5000),
  ])
    assert.equal(parsePlan(text), null, text.slice(0, 20));
});

test('whatever is read is a valid plan, and so it stays', () => {
  const json = fc.json();
  const text = fc.oneof(
    fc.string(),
    json,
    fc
      .record({ summary: fc.string(), steps: fc.array(fc.string({ maxLength: 800 })) })
      .map((value) => `x ${JSON.stringify(value)}`),
  );
  fc.assert(
    fc.property(text, fc.boolean(), (input, done) => {
      const plan = parsePlan(input) ?? oneStepPlan('do it');
      for (const each of [plan, planAtWork(plan), planAtEnd(planAtWork(plan), done)]) Plan.parse(each);
    }),
  );
});

test("an agent's own steps update those of the same title and come after them when they are new", () => {
  const plan = parsePlan(PLAN)!;
  const merged = mergePlan(plan, [
    { title: ' A', status: 'completed' },
    { title: 'c', status: 'in-progress' },
    { title: '  ', status: 'pending' },
  ]);
  assert.deepEqual(
    merged.steps.map(({ title, status }) => `${title} ${status}`),
    ['a completed', 'b pending', 'c in-progress'],
  );
  assert.deepEqual(mergePlan(merged, [{ title: 'c', status: 'completed' }]).steps.length, 3);
});

test('however many steps an agent tells of, the plan stays valid', () => {
  const many = Array.from({ length: 500 }, (_, at) => ({
    title: `${at} ${'x'.repeat(600)}`,
    status: 'pending' as const,
  }));
  assert.equal(Plan.parse(mergePlan(oneStepPlan('do it'), many)).steps.length, 200);
});
