// The vLLM engine before a real vLLM on the processor, with a tiny model of random weights. One start for most of the cases.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Handle, Health, Launch } from '../../orchestrator/models/engine/managed.ts';
import { findProcess, pidsOf, processOf } from '../../orchestrator/models/engine/engine-process.ts';
import { wellness } from '../../orchestrator/models/engine/vllm-requests.ts';
import { vllmEngine } from '../../orchestrator/models/engine/vllm.ts';
import { TINY, tinyModel, VLLM } from '../support/inference.ts';
import { randomModelFails } from './vllm-model-tests.ts';

const START_MS = 240_000;
const signal = new AbortController().signal;
const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-vllm-'));
const engineOf = () =>
  vllmEngine({
    program: VLLM,
    logs: path.join(directory, 'logs'),
    environment: process.env,
    warn: (message) => assert.fail(message),
  });
const engine = engineOf();

function launchOf(name: string, weights: string): Launch {
  return {
    id: randomUUID(),
    model: tinyModel({ name }),
    replica: 0,
    weights,
    gpus: [0],
    gpuMemoryUtilization: 0.1,
  };
}

/** Waits until the engine is no longer loading. */
async function settled(handle: Handle): Promise<Exclude<Health, { state: 'loading' }>> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const health = await engine.health(handle, signal);
    if (health.state !== 'loading') return health;
    assert.ok(performance.now() < deadline, health.detail);
    await delay(100);
  }
}

const post = async (handle: Handle, route: string, body: object) =>
  await fetch(`${handle.endpoint}/v1${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: handle.served, ...body }),
  });

const ASKED = { messages: [{ role: 'user', content: 'hello' }], temperature: 0 };
const LONG = { ...ASKED, stream: true, max_tokens: 900, ignore_eos: true };

let launch: Launch;
let handle: Handle;

before(async () => {
  launch = launchOf('tiny', TINY);
  handle = await engine.start(launch, async () => {}, signal);
  const health = await settled(handle);
  assert.equal(health.state, 'ready', readFileSync(handle.log!, 'utf8').slice(-5000));
});

after(async () => {
  await engine.stop(handle);
  rmSync(directory, { recursive: true, force: true });
});

test('it answers whole and as a stream', async () => {
  const whole = (await (await post(handle, '/chat/completions', { ...ASKED, max_tokens: 5 })).json()) as {
    usage: { completion_tokens: number };
  };
  assert.equal(whole.usage.completion_tokens, 5);
  const stream = await post(handle, '/chat/completions', { ...ASKED, stream: true, max_tokens: 5 });
  assert.match(await stream.text(), /data: \{.*\}\n[^]*data: \[DONE\]/);
});

test('a tool call comes parsed', async () => {
  const tool = {
    type: 'function',
    function: {
      name: 'get_weather',
      strict: true,
      parameters: {
        type: 'object',
        properties: { unit: { enum: ['c', 'f'] } },
        required: ['unit'],
        additionalProperties: false,
      },
    },
  };
  const answer = (await (
    await post(handle, '/chat/completions', {
      ...ASKED,
      max_tokens: 100,
      tools: [tool],
      tool_choice: { type: 'function', function: { name: 'get_weather' } },
    })
  ).json()) as {
    choices: { message: { tool_calls: { function: { name: string; arguments: string } }[] } }[];
  };
  const call = answer.choices[0]!.message.tool_calls[0]!.function;
  assert.equal(call.name, 'get_weather');
  assert.match((JSON.parse(call.arguments) as { unit: string }).unit, /^[cf]$/);
});

test('its figures move while it generates', async () => {
  const first = (await engine.metrics(handle, signal))!;
  assert.equal(first.running, 0);
  const answer = post(handle, '/chat/completions', LONG);
  let second = first;
  while (second.running === 0) second = (await engine.metrics(handle, signal))!;
  let third = second;
  while (third.generatedTokens <= second.generatedTokens) third = (await engine.metrics(handle, signal))!;
  assert.ok(third.promptTokens > first.promptTokens);
  assert.ok(third.kvUsage! > 0);
  await (await answer).text();
  const last = (await engine.metrics(handle, signal))!;
  assert.ok(last.generatedTokens >= first.generatedTokens + 900);
  assert.ok(last.firstTokenSeconds.count > first.firstTokenSeconds.count);
});

test('a random model fails the tests of models by what it says, and passes by what its engine does', async () => {
  await randomModelFails(launch.model, handle);
});

test('it sleeps when it is told to, and wakes', async () => {
  for (const level of [1, 2] as const) {
    await engine.sleep(handle, level);
    assert.deepEqual(await engine.health(handle, signal), { state: 'asleep' });
    await engine.wake(handle);
    assert.deepEqual(await engine.health(handle, signal), { state: 'ready' });
  }
});

test('another daemon finds it by its launch, or by what was recorded, and has it ready within two seconds', async () => {
  const began = performance.now();
  const other = engineOf();
  assert.deepEqual(await other.find(launch), handle);
  assert.deepEqual(await other.health(handle, signal), { state: 'ready' });
  assert.ok(performance.now() - began < 2_000, `${performance.now() - began} ms`);
});

test('a core that hangs behind a server that answers is found out', async () => {
  process.kill(coreOf(handle), 'SIGSTOP');
  assert.equal(await wellness(handle, signal, 1_000), 'silent');
  process.kill(coreOf(handle), 'SIGCONT');
  assert.equal(await wellness(handle, signal), 'well');
});

test('an engine that is killed while it streams ends the answer with an error, says that it failed, and leaves nothing', async () => {
  const answer = await post(handle, '/chat/completions', LONG);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  await reader.read();
  process.kill(coreOf(handle), 'SIGKILL');
  let rest = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value;
  assert.match(rest, /^data: \{"error": .*EngineCore encountered an issue/m);
  const deadline = performance.now() + 10_000;
  let health = await engine.health(handle, signal);
  while (health.state !== 'failed') {
    assert.ok(performance.now() < deadline);
    await delay(50);
    health = await engine.health(handle, signal);
  }
  assert.equal(health.detail, 'Its core was killed.');
  await engine.stop(handle);
  assert.deepEqual(pidsOf(processOf(handle)!), []);
  assert.equal(findProcess(launch.id), undefined);
});

/** The process with the model; the handle names that with the port. */
function coreOf({ pid }: Handle): number {
  const core = pidsOf(processOf(handle)!).find(
    (each) => each !== pid && readFileSync(`/proc/${each}/cmdline`, 'utf8').startsWith('VLLM::EngineCore'),
  );
  assert.ok(core !== undefined);
  return core;
}

/** The tiny model's weights, spoilt. */
function spoilt(name: string, spoil: (weights: string) => void): Launch {
  const weights = path.join(directory, name);
  cpSync(TINY, weights, { recursive: true });
  spoil(weights);
  return launchOf(name, weights);
}

test('weights that are truncated, and an architecture that nobody knows, are told as what they are', async () => {
  const truncated = spoilt('truncated', (weights) =>
    truncateSync(path.join(weights, 'model.safetensors'), 100_000),
  );
  const unknown = spoilt('unknown', (weights) => {
    const file = path.join(weights, 'config.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(
      file,
      JSON.stringify({ ...config, architectures: ['Qwen9ForCausalLM'], model_type: 'qwen9' }),
    );
  });
  const [first, second] = await Promise.all(
    [truncated, unknown].map(async (each) => {
      const spoiltHandle = await engine.start(each, async () => {}, signal);
      const health = await settled(spoiltHandle);
      await engine.stop(spoiltHandle);
      assert.equal(health.state, 'failed');
      return health;
    }),
  );
  assert.match(first!.detail, /truncated or damaged/);
  assert.match(second!.detail, /does not know the architecture of the model: (qwen9|Qwen9ForCausalLM)/);
});
