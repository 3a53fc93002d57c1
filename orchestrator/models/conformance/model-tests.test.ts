// Models that pass and models with one flaw each, tested through a running gateway.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { ModelTest } from '../../../protocol/local-model.ts';
import { gatewayRig } from '../../gateway/testing/rig.ts';
import type { Rig } from '../../gateway/testing/rig.ts';
import { sendBody } from '../testing/fake-engine.ts';
import { modelTests } from './model-tests.ts';
import { abandonTests, beginTest, listTests } from './results.ts';
import { scriptedModel } from './testing/scripted-model.ts';
import type { Flaw } from './testing/scripted-model.ts';

const ALL = ['tool-call', 'arguments', 'usage', 'stops', 'no-loop', 'context'];

test('a model that does all that is needed passes in the protocol of each agent', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers(scriptedModel());
  for (const agent of ['qwen-coder', 'claude-code', 'codex']) {
    const result = await tested(rig, agent);
    assert.deepEqual([result.state, result.passed, result.problem], ['done', true, null], details(result));
    assert.deepEqual(
      result.checks.map(({ name }) => name),
      ALL,
    );
  }
  const paths = rig.engine.seen.map(({ path }) => path);
  assert.deepEqual([...new Set(paths)], ['/v1/chat/completions', '/v1/messages', '/v1/responses']);
});

const FLAWS: [Flaw, failing: string[], told: RegExp][] = [
  ['talks instead of calling', ['tool-call', 'arguments'], /says "I would change/],
  ['writes calls as text', ['tool-call', 'arguments'], /as text.*toolCallParser/],
  ['refuses tools', ['tool-call', 'arguments'], /refused: 400: "auto" tool choice/],
  ['cuts arguments off', ['arguments'], /no JSON/],
  ['gives a number as text', ['arguments'], /line/],
  ['never stops', ['stops'], /ends with "length" instead of stop/],
  ['overhears stop sequences', ['stops'], /stop sequence "9" is in the answer/],
  ['tells no usage', ['usage'], /does not tell its tokens/],
  ['repeats itself', ['no-loop'], /repeats ".*and so on.*" 40 times|repeats .* times/],
  ['says nothing', ['no-loop'], /says nothing/],
  ['forgets', ['context'], /is not found/],
  ['drops the beginning in silence', ['context'], /cuts prompts: it read 4096/],
  ['has half the context', ['context'], /refused: 400: maximum context length is 16384/],
];

test('a model with one flaw fails by that alone, and is told what it is', async (t) => {
  await using rig = await gatewayRig();
  for (const [flaw, failing, told] of FLAWS) {
    await t.test(flaw, async () => {
      rig.engine.answers(scriptedModel(flaw));
      const result = await tested(rig, 'qwen-coder');
      const failed = result.checks.filter(({ passed }) => !passed);
      assert.deepEqual(
        failed.map(({ name }) => name),
        failing,
        details(result),
      );
      assert.equal(result.passed, false);
      assert.match(String(failed[0]?.detail), told);
    });
  }
});

test('an engine that is away says nothing of its model', async () => {
  await using rig = await gatewayRig();
  const result = await tested(rig, 'qwen-coder', {}, 'away/nobody');
  assert.deepEqual([result.state, result.passed, result.checks], ['failed', false, []]);
  assert.match(String(result.problem), /away .*does not answer/);
});

test('what is not over in time has failed, and the key is revoked', async () => {
  await using rig = await gatewayRig();
  const answer = scriptedModel();
  rig.engine.answers((response, seen) => {
    if (!seen.body.includes('Explain')) return answer(response, seen);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  });
  const result = await tested(rig, 'qwen-coder', { boundMs: 1_000 });
  const late = result.checks.filter(({ passed }) => !passed);
  assert.deepEqual(
    late.map(({ name, detail }) => [name, detail]),
    [
      ['context', 'was not over within 1 s'],
      ['no-loop', 'was not over within 1 s'],
    ],
  );
  const { rows } = await rig.db.query(
    `select revoked_at is not null as revoked from token where kind = 'service'`,
  );
  assert.deepEqual(rows, [{ revoked: true }]);
});

test('there is one test at a time, and one for an agent that nobody knows is refused', async () => {
  await using rig = await gatewayRig();
  const asked = Promise.withResolvers<void>();
  rig.engine.answers(() => asked.resolve());
  const stopping = new AbortController();
  const tests = runner(rig, { stopping: stopping.signal });
  const begun = await tests.start({ model: 'fake/small', agent: 'qwen-coder' });
  await assert.rejects(tests.start({ model: 'dear', agent: 'codex' }), {
    code: 'ERR_CONFLICT',
    message: /fake\/small is being tested/,
  });
  await assert.rejects(tests.start({ model: 'dear', agent: 'nobody' }), { code: 'ERR_AGENT_UNKNOWN' });
  await asked.promise;
  stopping.abort();
  assert.match(String((await ended(rig, begun)).problem), /daemon stopped/);
});

test('whoever sees the end of a test may begin the next', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers(scriptedModel());
  const noted = Promise.withResolvers<void>();
  const db = {
    query: async (sql: string, values: unknown[]) => {
      const answer = await rig.db.query(sql, values);
      if (sql.includes("state = 'done'")) noted.resolve();
      return answer;
    },
  } as typeof rig.db;
  const tests = runner(rig, { db });
  await tests.start({ model: 'fake/small', agent: 'codex' });
  await noted.promise;
  await ended(rig, await tests.start({ model: 'fake/small', agent: 'codex' }));
});

test('a test that a daemon left behind is ended by the next one', async () => {
  await using rig = await gatewayRig();
  await beginTest(rig.db, 'fake/small', 'codex');
  await abandonTests(rig.db);
  const [left] = await listTests(rig.db, { limit: 1 });
  assert.deepEqual([left?.state, left?.problem], ['failed', 'The daemon ended during the test.']);
});

test('a refusal of the gateway is the problem of the test', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendBody(response, 503, { error: { message: 'starting' } }));
  const result = await tested(rig, 'qwen-coder');
  assert.equal(result.state, 'failed');
  assert.match(String(result.problem), /503: starting/);
});

type Options = Partial<Parameters<typeof modelTests>[0]>;

function runner(rig: Rig, options: Options = {}) {
  return modelTests({
    db: rig.db,
    catalogue: rig.catalogue,
    gatewayUrl: () => rig.gateway.url,
    stopping: new AbortController().signal,
    warn: (message, fields) => assert.fail(`${message} ${JSON.stringify(fields)}`),
    ...options,
  });
}

async function tested(rig: Rig, agent: string, options: Options = {}, model = 'fake/small') {
  return await ended(rig, await runner(rig, options).start({ model, agent }));
}

async function ended(rig: Rig, { id }: ModelTest): Promise<ModelTest> {
  for (;;) {
    const found = (await listTests(rig.db, { limit: 100 })).find((one) => one.id === id);
    if (found !== undefined && found.state !== 'running') return found;
    await delay(20);
  }
}

const details = ({ checks, problem }: ModelTest) =>
  `${problem ?? ''} ${checks.map(({ name, passed, detail }) => `${name} ${passed} ${detail}`).join('; ')}`;
