import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectiveSettings, fileForRun } from './effective.ts';

const own = {
  repositories: [],
  verify: [{ name: 'test', command: 'npm test' }],
  agent: null,
  model: null,
  environment: null,
  limits: {},
  reviewers: [],
  labels: [],
  draft: false,
};
const defaults = {
  agent: 'qwen-coder',
  model: null,
  environment: 'host',
  limits: { deadlineMinutes: 60, maxIterations: 4, verifyTimeoutMinutes: 15 },
};
const file = {
  verify: [{ name: 'all', command: 'make check' }],
  agent: 'codex',
  limits: { deadlineMinutes: 20, maxIterations: 9 },
  labels: ['bot'],
  egress: { hosts: ['packages.example.com'] },
};
const named = (settings: ReturnType<typeof effectiveSettings>, name: string) => {
  const { value, source, note } = settings.find((each) => each.name === name)!;
  return [value, source, note];
};

test('without a file all is as the project and the installation have it', () => {
  const settings = effectiveSettings(own, [], null, defaults);
  assert.deepEqual(named(settings, 'verify'), [own.verify, 'found', null]);
  assert.deepEqual(named(settings, 'agent'), ['qwen-coder', 'installation', null]);
  assert.deepEqual(named(settings, 'limits.deadlineMinutes'), [60, 'installation', null]);
  assert.equal(
    settings.some(({ source }) => source === 'file'),
    false,
  );
});

test('the file goes before defaults and what was found; its limits may only be tighter', () => {
  const settings = effectiveSettings(own, [], file, defaults);
  assert.deepEqual(named(settings, 'verify'), [file.verify, 'file', null]);
  assert.deepEqual(named(settings, 'agent'), ['codex', 'file', null]);
  assert.deepEqual(named(settings, 'labels'), [['bot'], 'file', null]);
  assert.deepEqual(named(settings, 'limits.deadlineMinutes'), [20, 'file', null]);
  const [most, source, note] = named(settings, 'limits.maxIterations');
  assert.deepEqual([most, source], [4, 'installation']);
  assert.match(String(note), /wishes for 9; a file cannot go beyond/);
  assert.match(String(named(settings, 'egress.hosts')[2]), /grants nothing/);
});

test("the project's own settings go before the file, an empty list too", () => {
  const set = { ...own, agent: 'aider', verify: [], limits: { deadlineMinutes: 90 } };
  const settings = effectiveSettings(set, ['verify', 'labels'], file, defaults);
  assert.deepEqual(named(settings, 'verify'), [[], 'project', null]);
  assert.deepEqual(named(settings, 'labels'), [[], 'project', null]);
  assert.deepEqual(named(settings, 'agent'), ['aider', 'project', null]);
  assert.deepEqual(named(settings, 'limits.deadlineMinutes'), [90, 'project', null]);
});

test('a run gets of the file what neither its project nor its task decides', () => {
  assert.deepEqual(fileForRun(file, { explicit: [], limits: {} }), {
    verify: file.verify,
    limits: file.limits,
  });
  assert.deepEqual(fileForRun(file, { explicit: ['verify'], limits: { maxIterations: 2 } }), {
    limits: { deadlineMinutes: 20 },
  });
});

test('a command of the file that runs in a repository which the project does not have is said to be left out', () => {
  const verify = [{ name: 'pages', command: 'npm test', in: 'web' }];
  const [value, source, note] = named(effectiveSettings(own, [], { verify }, defaults), 'verify');
  assert.deepEqual([value, source], [verify, 'file']);
  assert.match(String(note), /no such repository: pages \(in web\)/);
});
