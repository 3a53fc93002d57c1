import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Project, ProjectPatch, TOOL_KINDS, RunLimits } from '../../../protocol/project.ts';
import { DEFAULT_LEVELS } from '../../../protocol/submission.ts';
import { draftOf, patchOf, type Draft } from './draft.ts';
import { LIMITS, RULE_WORDS, TOOLS } from './words.ts';

const SHOP: Project = Project.parse({
  id: 1,
  name: 'shop',
  repositories: [],
  verify: [{ name: 'test', command: 'npm test' }],
  agent: 'qwen-coder',
  agentCommand: null,
  model: 'autocode/coder',
  limits: { maxIterations: 3 },
  checks: { rules: { size: 'warn' }, allow: {} },
  trusted: false,
  createdAt: '2026-01-01T00:00:00.000Z',
  archivedAt: null,
});
const changed = (change: Partial<Draft>) => patchOf({ ...draftOf(SHOP), ...change }, SHOP);

test('a draft that nobody has changed is no patch', () => {
  assert.equal(patchOf(draftOf(SHOP), SHOP), undefined);
});

test('a patch has what was changed alone, with what the editor saw, as the API takes it', () => {
  const { limits, permissions, rules } = draftOf(SHOP);
  const patch = changed({
    limits: { ...limits, maxIterations: '', deadlineMinutes: '30' },
    workerLabels: 'gpu, big',
    maxRuns: '2',
    ownQuietHours: true,
    permissions: { ...permissions, fetch: 'deny' },
    rules: { ...rules, size: 'off' },
    reviewers: ' ann \n\nacme/core',
  })!;
  assert.deepEqual(ProjectPatch.parse(patch), patch);
  const { was, checks, permissions: sent, ...others } = patch;
  assert.deepEqual(others, {
    limits: { deadlineMinutes: 30 },
    workerLabels: ['gpu', 'big'],
    maxRuns: 2,
    quietHours: [],
    reviewers: ['ann', 'acme/core'],
  });
  assert.deepEqual(checks, { rules: { size: 'off' }, allow: {} });
  assert.deepEqual(sent, { fetch: 'deny' });
  assert.deepEqual(was, {
    limits: { maxIterations: 3 },
    workerLabels: [],
    maxRuns: null,
    quietHours: null,
    permissions: {},
    checks: SHOP.checks,
    reviewers: [],
  });
});

test('an emptied agent or model, and what is left to the file, is taken back', () => {
  assert.deepEqual(changed({ agent: '', left: ['verify'], verify: [] }), {
    fromFile: ['verify', 'agent'],
    was: { verify: SHOP.verify, agent: 'qwen-coder' },
  });
  assert.deepEqual(changed({ model: ' ' }), { fromFile: ['model'], was: { model: 'autocode/coder' } });
  assert.equal(changed({ agentCommand: '' }), undefined);
});

test('the words of the page are those of the protocol', () => {
  assert.deepEqual(TOOLS.toSorted(), [...TOOL_KINDS].toSorted());
  assert.deepEqual(LIMITS.toSorted(), Object.keys(RunLimits.shape).toSorted());
  assert.deepEqual(
    Object.fromEntries(Object.entries(RULE_WORDS).map(([rule, { level }]) => [rule, level])),
    DEFAULT_LEVELS,
  );
});
