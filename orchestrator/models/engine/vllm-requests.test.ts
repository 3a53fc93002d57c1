import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeEngine, sendBody, type FakeEngine } from '../testing/fake-engine.ts';
import type { Handle } from './managed.ts';
import { bringsToken, sleep, wake, wellness } from './vllm-requests.ts';

const signal = new AbortController().signal;

const handleOf = (endpoint: string): Handle => ({
  launch: '00000000-0000-4000-8000-000000000000',
  model: 'coder',
  served: 'coder',
  endpoint,
});

/** Answers each path with a status and a body. */
function paths(engine: FakeEngine, answers: Record<string, [number, string]>): void {
  engine.answers((response, { path }) => {
    const [status, body] = answers[path] ?? [404, ''];
    response.writeHead(status).end(body);
  });
}

const states: [string, Record<string, [number, string]>, Awaited<ReturnType<typeof wellness>>][] = [
  [
    'one that answers is well',
    { '/health': [200, ''], '/is_sleeping': [200, '{"is_sleeping":false}'] },
    'well',
  ],
  [
    'one that sleeps says so',
    { '/health': [200, ''], '/is_sleeping': [200, '{"is_sleeping":true}'] },
    'asleep',
  ],
  ['one whose core has ended is dead', { '/health': [503, ''] }, 'dead'],
];

for (const [name, answers, expected] of states) {
  test(`an engine is asked how it is: ${name}`, async () => {
    await using engine = await fakeEngine();
    paths(engine, answers);
    assert.equal(await wellness(handleOf(engine.url), signal), expected);
  });
}

test('an engine whose core hangs while its server answers is silent', async () => {
  await using engine = await fakeEngine();
  engine.answers((response, { path }) => void (path === '/health' && response.writeHead(200).end()));
  assert.equal(await wellness(handleOf(engine.url), signal, 100), 'silent');
});

test('an engine that does not listen refuses', async () => {
  const engine = await fakeEngine();
  await engine[Symbol.asyncDispose]();
  assert.equal(await wellness(handleOf(engine.url), signal), 'refused');
  await assert.rejects(sleep(handleOf(engine.url), 1), { code: 'ERR_ENGINE_UNAVAILABLE' });
});

test('who waits no longer is told so, not that the engine is broken', async () => {
  await using engine = await fakeEngine();
  engine.answers(() => {});
  await assert.rejects(wellness(handleOf(engine.url), AbortSignal.abort(new Error('stopped'))), /stopped/);
});

test('one token is asked for; an embedding model, which brings none, is asked for an embedding', async () => {
  await using engine = await fakeEngine();
  const metrics: [number, string] = [200, 'vllm:num_requests_running{} 0\n'];
  paths(engine, { '/metrics': metrics, '/v1/completions': [200, '{}'] });
  assert.deepEqual(await bringsToken(handleOf(engine.url), signal), { well: true });
  assert.equal((JSON.parse(engine.seen.at(-1)!.body) as { model: string }).model, 'coder');
  paths(engine, { '/metrics': metrics, '/v1/embeddings': [200, '{}'] });
  assert.deepEqual(await bringsToken(handleOf(engine.url), signal), { well: true });
  paths(engine, { '/metrics': metrics, '/v1/completions': [500, 'EngineDeadError'] });
  assert.deepEqual(await bringsToken(handleOf(engine.url), signal), {
    well: false,
    detail: '500 EngineDeadError',
  });
});

for (const [name, step, well] of [
  ['brings tokens to others is well', 5, true],
  ['brings none to anybody is not', 0, false],
] as const) {
  test(`an engine that lets our request wait and ${name}`, async () => {
    await using engine = await fakeEngine();
    let tokens = 10;
    engine.answers((response, { path }) => {
      if (path !== '/metrics') return;
      response.end(`vllm:num_requests_running{} 8\nvllm:generation_tokens_total{} ${tokens}\n`);
      tokens += step;
    });
    assert.equal((await bringsToken(handleOf(engine.url), signal, 100)).well, well);
  });
}

test('weights that were dropped are read again when a model wakes', async () => {
  await using engine = await fakeEngine();
  const state = (name: string) => `vllm:engine_sleep_state{engine="0",sleep_state="${name}"} 1.0\n`;
  let asleep = state('weights_offloaded');
  engine.answers((response, { path }) => {
    if (path === '/metrics') response.end(asleep);
    else sendBody(response, 200, {});
  });
  const handle = handleOf(engine.url);
  const asked = () =>
    engine.seen
      .splice(0)
      .map(({ path }) => path)
      .filter((path) => path !== '/metrics');
  await sleep(handle, 2);
  assert.deepEqual(asked(), ['/sleep?level=2&mode=wait']);
  await wake(handle);
  assert.deepEqual(asked(), ['/wake_up']);
  asleep = state('discard_all');
  await wake(handle);
  assert.deepEqual(asked(), ['/wake_up?tags=weights', '/collective_rpc', '/wake_up?tags=kv_cache']);
});
