// What of a form the API gets: nothing that was left out, and of an edited task only what was changed, with what was seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '../../../protocol/task.ts';
import { draftOf, EMPTY, inputOf, patchOf } from './draft.ts';

const task = {
  project: 'shop',
  title: 'mend it',
  body: 'as told',
  acceptance: ['works', 'fast'],
  targetFiles: [],
  agent: 'command',
  model: '',
  priority: 1,
  limits: { maxTokens: 100, agentTurns: 5 },
} as unknown as Task;

test('what is left empty is left to the project', () => {
  const input = inputOf({ ...EMPTY, project: 'shop', title: 'x', acceptance: 'a\n\n  b ' }, 'k');
  assert.deepEqual(input, {
    project: 'shop',
    title: 'x',
    body: '',
    acceptance: ['a', 'b'],
    targetFiles: [],
    priority: 0,
    limits: {},
    idempotencyKey: 'k',
  });
  const full = { ...EMPTY, agent: 'command', model: 'gpu/m', approvePlan: 'no', maxTokens: '5' };
  const { agent, model, approvePlan, limits } = inputOf(full, 'k');
  assert.deepEqual([agent, model, approvePlan, limits], ['command', 'gpu/m', false, { maxTokens: 5 }]);
});

test('a task that nobody changed is not sent', () => {
  assert.equal(patchOf(draftOf(task), task), undefined);
});

test('what was changed goes with what was seen; limits that the form does not have stay', () => {
  const draft = { ...draftOf(task), title: 'mend all', maxTokens: '', deadlineMinutes: '30' };
  assert.deepEqual(patchOf(draft, task), {
    title: 'mend all',
    limits: { agentTurns: 5, deadlineMinutes: 30 },
    was: { title: 'mend it', limits: { maxTokens: 100, agentTurns: 5 } },
  });
});
