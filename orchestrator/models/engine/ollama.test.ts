import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalModel } from '../../../protocol/local-model.ts';
import { startFakeOllama } from '../../../test/support/fake-ollama.ts';
import type { Handle, Launch } from './managed.ts';
import { ollamaEngine } from './ollama.ts';

const signal = new AbortController().signal;
const none = async () => {};

function launchOf(path: string, more: object = {}): Launch {
  const model = LocalModel.parse({ name: 'coder', engine: 'ollama', path, ...more });
  return { id: randomUUID(), model, replica: 0, weights: '/nowhere', gpus: [0], gpuMemoryUtilization: 0.9 };
}

/** Its health as soon as it does not load any more. */
async function settled(engine: ReturnType<typeof ollamaEngine>, handle: Handle) {
  for (const deadline = Date.now() + 5000; ; await delay(5)) {
    const health = await engine.health(handle, signal);
    if (health.state !== 'loading') return health;
    assert.ok(Date.now() < deadline, health.detail);
  }
}

test('a model is loaded for good, asked for a token, told of with its memory, found, and unloaded', async () => {
  await using ollama = await startFakeOllama({ models: ['coder:7b', 'other:latest'] });
  const engine = ollamaEngine({ url: `${ollama.url}/` });
  const loading = Promise.withResolvers<void>();
  ollama.loadsAfter(loading.promise);
  const launch = launchOf('coder:7b');
  let noted: Handle | undefined;
  const handle = await engine.start(launch, async (each) => void (noted = each), signal);
  assert.deepEqual(noted, handle);
  assert.deepEqual(await engine.health(handle, signal), { state: 'loading', detail: 'Ollama loads it' });
  assert.equal(await engine.find(launch), undefined);
  loading.resolve();
  assert.deepEqual(await settled(engine, handle), { state: 'ready' });
  assert.deepEqual(
    ollama.requests.filter(({ path }) => path === '/api/generate'),
    [{ path: '/api/generate', body: { model: 'coder:7b', keep_alive: -1, stream: false } }],
  );
  assert.equal(handle.endpoint, ollama.url);
  assert.equal(handle.served, 'coder:7b');
  assert.equal((await engine.metrics(handle, signal))?.reportedMib, 5 * 1024);
  assert.deepEqual(await engine.find(launch), handle);
  await engine.stop(handle);
  assert.deepEqual(ollama.loaded(), []);
  await engine.stop(handle);
});

test('a daemon that was started anew goes on with a model that is loaded', async () => {
  await using ollama = await startFakeOllama({ models: ['coder:latest'] });
  const handle = await ollamaEngine({ url: ollama.url }).start(launchOf('coder'), none, signal);
  const next = ollamaEngine({ url: ollama.url });
  for (const deadline = Date.now() + 5000; ollama.loaded().length === 0; await delay(5))
    assert.ok(Date.now() < deadline);
  assert.deepEqual(await next.health(handle, signal), { state: 'ready' });
});

test('a stop returns when the last answer has ended and the memory is back', async () => {
  await using ollama = await startFakeOllama({ models: ['coder:latest'] });
  const engine = ollamaEngine({ url: ollama.url });
  const handle = await engine.start(launchOf('coder'), none, signal);
  await settled(engine, handle);
  const answered = Promise.withResolvers<void>();
  ollama.answersUntil(answered.promise);
  let stopped = false;
  const stopping = engine.stop(handle).then(() => (stopped = true));
  const looks = () => ollama.requests.filter(({ path }) => path === '/api/ps').length;
  for (const before = looks(); looks() < before + 3;) await delay(5);
  assert.equal(stopped, false);
  answered.resolve();
  await stopping;
  assert.deepEqual(ollama.loaded(), []);
});

test('a load that runs out of memory says so', async () => {
  await using ollama = await startFakeOllama({ models: ['coder:latest'] });
  const engine = ollamaEngine({ url: ollama.url });
  ollama.refuses('llama runner process has terminated: cudaMalloc failed: out of memory');
  const health = await settled(engine, await engine.start(launchOf('coder'), none, signal));
  assert.ok(health.state === 'failed' && health.outOfMemory);
  assert.match(health.detail, /answers 500: llama runner .* out of memory/);
  assert.match(health.remedy, /Free the GPUs/);
});

test('a context that is shorter than the catalogue says fails the load, since Ollama would cut prompts without a word', async () => {
  await using ollama = await startFakeOllama({ models: ['coder:latest'], contextLength: 4096 });
  const engine = ollamaEngine({ url: ollama.url });
  const health = await settled(
    engine,
    await engine.start(launchOf('coder', { context: 16_384 }), none, signal),
  );
  assert.ok(health.state === 'failed');
  assert.match(health.detail, /context of 4096 tokens, and the catalogue says 16384/);
  assert.match(health.remedy, /OLLAMA_CONTEXT_LENGTH=16384/);
});

test('a model that Ollama has unloaded by itself has failed, and is to be loaded again', async () => {
  await using ollama = await startFakeOllama({ models: ['coder:latest'] });
  const engine = ollamaEngine({ url: ollama.url });
  const handle = await engine.start(launchOf('coder'), none, signal);
  await settled(engine, handle);
  ollama.unloadsAll();
  const health = await engine.health(handle, signal);
  assert.ok(health.state === 'failed');
  assert.match(health.detail, /has unloaded coder/);
});

test('what cannot work is refused before anything is loaded, with what to do', async () => {
  await using ollama = await startFakeOllama({ models: ['coder:latest'] });
  const engine = ollamaEngine({ url: ollama.url });
  await assert.rejects(engine.start(launchOf('coder:32b'), none, signal), {
    code: 'ERR_ENGINE_UNAVAILABLE',
    message: /has no model coder:32b/,
    remedy: /ollama pull coder:32b/,
  });
  await assert.rejects(engine.start(launchOf('coder', { tensorParallel: 2 }), none, signal), {
    code: 'ERR_CONFIG',
    remedy: /tensorParallel/,
  });
  const handle = await engine.start(launchOf('coder'), none, signal);
  await assert.rejects(engine.sleep(handle, 1), { code: 'ERR_STATE', remedy: /sleepLevel: 0/ });
  await assert.rejects(engine.wake(handle), { code: 'ERR_STATE' });
  await engine.stop(handle);
});

test('a server that is away is told of with its address; nothing of it is left to stop', async () => {
  const ollama = await startFakeOllama({ models: ['coder:latest'] });
  const engine = ollamaEngine({ url: ollama.url });
  const launch = launchOf('coder');
  const handle = await engine.start(launch, none, signal);
  await settled(engine, handle);
  await ollama[Symbol.asyncDispose]();
  const away = {
    code: 'ERR_ENGINE_UNAVAILABLE',
    message: /Ollama at http.* does not answer/,
    remedy: /ollama serve/,
  };
  await assert.rejects(engine.health(handle, signal), away);
  await assert.rejects(engine.start(launch, none, signal), away);
  assert.equal(await engine.find(launch), undefined);
  await engine.stop(handle);
});
