// `autocode model test` and `autocode model role`.
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { ModelRole, ModelTest } from '../../protocol/local-model.ts';
import { connect, type Client } from './client.ts';
import { Exit, type GlobalArgs } from './command.ts';
import { relativeTime } from './format.ts';
import { print, printJson, table } from './output.ts';
import { show } from './redraw.ts';

const Tests = z.array(ModelTest);
const POLL_MS = 1_000;

interface TestArgs extends GlobalArgs {
  model: string | undefined;
  agent: string | undefined;
}

/** Tests a model and shows how it did; without one lists the tests. */
export async function testModel(args: TestArgs): Promise<void> {
  const client = connect(args);
  if (args.model === undefined) return await show(args, () => client.get('/model-tests', Tests), drawTests);
  const { model, agent } = args;
  const begun = await client.send('POST', '/model-tests', ModelTest, { model, agent });
  if (!args.json)
    process.stderr.write(`Testing ${begun.model} as ${begun.agent} uses it; it is loaded if it must be.\n`);
  const test = await ended(client, begun);
  if (args.json) printJson(test);
  if (test.state === 'failed') {
    const remedy = test.remedy === null ? {} : { remedy: test.remedy };
    throw new AutocodeError(
      'ERR_ENGINE_UNAVAILABLE',
      `${test.model} could not be tested: ${test.problem}`,
      remedy,
    );
  }
  if (!args.json) print(drawTest(test));
  if (!test.passed) throw new Exit(1);
}

async function ended(client: Client, { id, model }: ModelTest): Promise<ModelTest> {
  for (;;) {
    const tests = await client.get('/model-tests', Tests, { model });
    const test = tests.find((one) => one.id === id);
    if (test !== undefined && test.state !== 'running') return test;
    await delay(POLL_MS);
  }
}

function drawTest({ model, agent, passed, checks }: ModelTest): string {
  const results = table(checks, [
    { title: 'CHECK', value: ({ name }) => name },
    {
      title: 'RESULT',
      value: (check) => (check.passed ? 'passed' : 'failed'),
      style: (check) => (check.passed ? 'green' : 'red'),
    },
    { title: 'DETAIL', value: ({ detail }) => detail },
  ]);
  const verdict = passed ? `${model} does what ${agent} needs.` : `${model} does not do what ${agent} needs.`;
  return `${results}\n\n${verdict}`;
}

function drawTests(tests: ModelTest[]): string {
  if (tests.length === 0) return 'No model was tested yet. See `autocode model test --help`.';
  return table(tests, [
    { title: 'MODEL', value: (test) => test.model },
    { title: 'AGENT', value: (test) => test.agent },
    { title: 'WHEN', value: (test) => relativeTime(test.at) },
    { title: 'RESULT', value: resultOf, style: (test) => (test.passed ? 'green' : undefined) },
    { title: 'WHY', value: whyNot },
  ]);
}

function resultOf({ state, passed }: ModelTest): string {
  if (state === 'running') return 'running';
  if (state === 'failed') return 'not made';
  return passed ? 'passed' : 'failed';
}

function whyNot({ problem, checks }: ModelTest): string {
  const failed = checks.filter(({ passed }) => !passed);
  return problem ?? failed.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
}

interface RoleArgs extends GlobalArgs {
  role: ModelRole['role'] | undefined;
  models: string[];
  force: boolean;
  clear: boolean;
}

/** Shows the roles, or gives one to models, or gives it back. */
export async function modelRole({ role, models, force, clear, ...args }: RoleArgs): Promise<void> {
  const client = connect(args);
  if (clear && models.length > 0)
    throw new AutocodeError('ERR_INVALID_INPUT', '--clear gives the role back, and models give it away.', {
      remedy: 'Leave one of them out.',
    });
  if (clear && role === undefined)
    throw new AutocodeError('ERR_INVALID_INPUT', 'No role was named.', {
      remedy: 'Name it, as `autocode model role coder --clear`.',
    });
  const route = `/model-roles/${role}`;
  if (models.length > 0) await client.send('PUT', route, ModelRole, { models, force });
  else if (clear) await client.send('DELETE', route, ModelRole);
  const read = async () => {
    const roles = await client.get('/model-roles', z.array(ModelRole));
    return roles.filter((one) => role === undefined || one.role === role);
  };
  await show(args, read, drawRoles);
}

const SOURCES: Record<ModelRole['source'], string> = {
  set: 'model role',
  configuration: 'configuration',
  catalogue: 'catalogue of local models',
};

function drawRoles(roles: ModelRole[]): string {
  return table(roles, [
    { title: 'ASKED FOR AS', value: ({ role }) => `autocode/${role}` },
    { title: 'MODELS', value: ({ models }) => models.join(', ') || 'none' },
    { title: 'BY', value: ({ models, source }) => (models.length === 0 ? '' : SOURCES[source]) },
  ]);
}
