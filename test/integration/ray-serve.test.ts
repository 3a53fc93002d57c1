// The engine of Ray Serve before a real Ray with two GPUs that are only counted. The replicas run the application that
// ships, over a stand-in for vLLM's Python interface (ray-serve/vllm): no replica has weights.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { AutocodeError } from '../../protocol/errors.ts';
import { LocalModel } from '../../protocol/local-model.ts';
import type { Handle, Health, Launch } from '../../orchestrator/models/engine/managed.ts';
import { rayClient } from '../../orchestrator/models/engine/ray-serve-client.ts';
import { rayServeEngine } from '../../orchestrator/models/engine/ray-serve.ts';
import { startRay, type Ray } from '../support/ray.ts';

const signal = new AbortController().signal;
const none = async () => {};

let dir: string;
let ray: Ray;
let engine: ReturnType<typeof rayServeEngine>;
let client: ReturnType<typeof rayClient>;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'autocode-ray-'));
  await writeFile(join(dir, 'ended'), '');
  ray = await startRay({
    gpus: 2,
    pythonPath: join(import.meta.dirname, 'ray-serve'),
    environment: { STAND_IN_LOG: join(dir, 'ended') },
  });
  engine = rayServeEngine(ray);
  client = rayClient(ray);
});
after(async () => {
  await ray?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

function launch(name: string, entry: object = {}): Launch {
  const model = LocalModel.parse({ name, engine: 'ray-serve', path: name, context: 128, ...entry });
  return {
    id: randomUUID(),
    model,
    replica: 0,
    weights: `/weights/${name}`,
    gpus: [0],
    gpuMemoryUtilization: 0.9,
  };
}

async function until<T>(
  what: string | (() => string),
  ms: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (const deadline = Date.now() + ms; ; await delay(250)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline)
      assert.fail(`not within ${ms / 1000} s: ${typeof what === 'string' ? what : what()}`);
  }
}

/** Its health as soon as it does not load any more. */
async function settled(handle: Handle): Promise<Health> {
  let last = '';
  return await until(
    () => `${handle.model} settles, ${last}`,
    200_000,
    async () => {
      const health = await engine.health(handle, signal);
      if (health.state === 'loading') last = health.detail;
      return health.state === 'loading' ? undefined : health;
    },
  );
}

async function replicasOf({ application }: Handle): Promise<number[]> {
  const { applications } = await client.applications();
  const { replicas } = applications[application!]!.deployments['Model']!;
  return replicas.flatMap(({ state, pid }) => (state === 'RUNNING' && pid != null ? [pid] : []));
}

async function post(handle: Handle, path: string, body: object): Promise<Response> {
  return await fetch(handle.endpoint + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: handle.served, ...body }),
  });
}

let coder: Handle;
let launched: Launch;

test('a model is declared beside applications of somebody else, and runs as two replicas with a GPU each', async () => {
  const others = { name: 'somebody', route_prefix: '/somebody', import_path: 'somebody:app' };
  await client.declare(() => [others]);
  launched = launch('coder', { replicas: { min: 2, max: 2 } });
  let noted: Handle | undefined;
  coder = await engine.start(launched, async (handle) => void (noted = handle), signal);
  assert.deepEqual(noted, coder);
  assert.deepEqual(await engine.find(launched), coder);
  assert.deepEqual(await settled(coder), { state: 'ready' });
  await until('two replicas', 120_000, async () =>
    (await replicasOf(coder)).length === 2 ? true : undefined,
  );
  const answer = await until('the other application', 120_000, async () => {
    const response = await fetch(`${ray.serveUrl}/somebody`);
    return response.ok ? await response.text() : undefined;
  });
  assert.equal(answer, 'still here');
});

test('it generates, over all of its interfaces', async () => {
  assert.deepEqual(
    await (await post(coder, '/generate', { prompt: 'one two three', max_tokens: 4 })).json(),
    {
      text: 'one two three one ',
      finish_reason: 'length',
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    },
  );
  const completion = (await (
    await post(coder, '/v1/completions', { prompt: 'a b', max_tokens: 2, stop: ['x'] })
  ).json()) as {
    model: string;
    choices: object[];
  };
  assert.equal(completion.model, 'coder');
  assert.deepEqual(completion.choices, [{ index: 0, text: 'a b ', logprobs: null, finish_reason: 'length' }]);
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'say it' }] }];
  const chat = (await (await post(coder, '/v1/chat/completions', { messages })).json()) as {
    choices: { message: object }[];
    usage: object;
  };
  assert.deepEqual(chat.choices[0]!.message, { role: 'assistant', content: '<user> say it ' });
  assert.deepEqual(chat.usage, { prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 });
  const models = (await (await fetch(`${coder.endpoint}/v1/models`)).json()) as { data: { id: string }[] };
  assert.deepEqual(
    models.data.map(({ id }) => id),
    ['coder'],
  );
});

test('what it cannot do is refused as OpenAI refuses, also when it was to be streamed', async () => {
  const message = { role: 'user', content: 'word '.repeat(200) };
  for (const stream of [false, true]) {
    const answer = await post(coder, '/v1/chat/completions', { messages: [message], stream });
    assert.equal(answer.status, 400);
    const { error } = (await answer.json()) as { error: { message: string; type: string } };
    assert.match(error.message, /The prompt has 201 tokens, and the model takes 128/);
    assert.equal(error.type, 'invalid_request_error');
  }
  const tools = [{ type: 'function', function: { name: 'look' } }];
  const answer = await post(coder, '/v1/chat/completions', {
    messages: [{ role: 'user', content: 'x' }],
    tools,
  });
  assert.match(await answer.text(), /toolCallParser/);
  assert.equal((await post(coder, '/v1/completions', { max_tokens: 2 })).status, 400);
});

test('tokens of a stream come as they are generated, and a client that leaves ends the request in the engine', async () => {
  const messages = [{ role: 'user', content: 'a b c' }];
  const asked = { messages, stream: true, stream_options: { include_usage: true }, max_tokens: 4 };
  const text = await (await post(coder, '/v1/chat/completions', asked)).text();
  const events = text.split('\n\n').filter((line) => line !== '');
  assert.equal(events.pop(), 'data: [DONE]');
  const chunks = events.map(
    (line) => JSON.parse(line.slice('data: '.length)) as { choices: { delta: { content: string } }[] },
  );
  assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), '<user> a b c ');
  assert.deepEqual(chunks.at(-1), {
    ...chunks.at(-1),
    choices: [],
    usage: { prompt_tokens: 4, completion_tokens: 4, total_tokens: 8 },
  });

  const ended = async () => (await readFile(join(dir, 'ended'), 'utf8')).split('\n').length;
  const before = await ended();
  const leaving = new AbortController();
  const slow = await fetch(`${coder.endpoint}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'coder', prompt: 'a', max_tokens: 100, stream: true, seed: 500 }), // 50 s
    signal: leaving.signal,
  });
  const reader = slow.body!.getReader();
  await reader.read();
  assert.equal(await ended(), before);
  leaving.abort();
  await reader.closed.catch(() => {});
  await until('the request ended', 60_000, async () => ((await ended()) > before ? true : undefined));
});

test('user_config changes how it samples at once, without a new replica', async () => {
  const replicas = (await replicasOf(coder)).toSorted((a, b) => a - b);
  const began = Date.now();
  await client.declare((all) =>
    all.map((config) => {
      if (config.name !== coder.application) return config;
      const deployments = config['deployments'] as object[];
      return {
        ...config,
        deployments: deployments.map((each) => ({ ...each, user_config: { sampling: { temperature: 0 } } })),
      };
    }),
  );
  await until('both replicas have it', 60_000, async () => {
    const texts = await Promise.all(
      Array.from({ length: 6 }, async () => await (await post(coder, '/generate', { prompt: 'x' })).text()),
    );
    return texts.every((text) => text.includes('"text":"X ')) ? true : undefined;
  });
  assert.ok(Date.now() - began < 10_000);
  await until('both replicas go on', 60_000, async () => {
    const now = (await replicasOf(coder)).toSorted((a, b) => a - b);
    assert.ok(
      now.every((pid) => replicas.includes(pid)),
      `${now.join()} in place of ${replicas.join()}`,
    );
    return now.length === 2 ? true : undefined;
  });
});

test('the figures of its engines are told by the nodes', async () => {
  const leaving = new AbortController();
  const slow = await fetch(`${coder.endpoint}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a', max_tokens: 100, stream: true, seed: 500 }),
    signal: leaving.signal,
  });
  const told = async (running: number) =>
    await until(`${running} requests`, 120_000, async () => {
      const reading = await engine.metrics(coder, signal); // undefined while there can be nothing new
      return reading?.running === running && reading.generatedTokens > 0 ? true : undefined;
    });
  await told(1);
  leaving.abort();
  await slow.text().catch(() => {});
  await told(0);
});

test('a replica that is killed is replaced, and the other one answers meanwhile', async (t) => {
  const [killed, other] = await replicasOf(coder);
  process.kill(killed!, 'SIGKILL');
  const began = Date.now();
  await until('two new replicas', 120_000, async () => {
    const health = await engine.health(coder, signal);
    assert.equal(health.state, 'ready', JSON.stringify(health));
    const replicas = await replicasOf(coder);
    return replicas.length === 2 && !replicas.includes(killed!) && replicas.includes(other!)
      ? true
      : undefined;
  });
  t.diagnostic(`replaced after ${Date.now() - began} ms`);
  assert.equal((await post(coder, '/generate', { prompt: 'x' })).status, 200);
});

test('a model for which no GPU is left loads until one is; a stop returns when nothing is left, and others go on', async () => {
  const waiting = await engine.start(launch('waiting', { replicas: { min: 1, max: 2 } }), none, signal);
  await until('it waits', 120_000, async () => {
    const health = await engine.health(waiting, signal);
    assert.equal(health.state, 'loading', JSON.stringify(health));
    return health.state === 'loading' && health.detail.includes('0 of 1 replicas') ? true : undefined;
  });
  await engine.stop(coder);
  assert.equal(await engine.find(launched), undefined);
  assert.deepEqual(await settled(waiting), { state: 'ready' });
  await engine.stop(waiting);
  await engine.stop(coder);
  assert.deepEqual(Object.keys((await client.applications()).applications), ['somebody']);
  assert.equal(await (await fetch(`${ray.serveUrl}/somebody`)).text(), 'still here');
});

test('a load that fails after it was accepted says why and what to do', async () => {
  const cases: [string, RegExp, RegExp, boolean][] = [
    [
      'absent',
      /OSError: Can't load the configuration of '\/weights\/absent'/,
      /same path on every node/,
      false,
    ],
    ['too-large', /RuntimeError: CUDA out of memory/, /Free the GPUs/, true],
  ];
  const handles: Handle[] = [];
  for (const [name] of cases) handles.push(await engine.start(launch(name), none, signal));
  const unknown = { ...handles[0]!, launch: randomUUID(), application: 'autocode-unknown' };
  await client.declare((all) => [
    ...all,
    {
      name: unknown.application,
      import_path: 'nowhere:build',
      runtime_env: { env_vars: { AUTOCODE_LAUNCH: unknown.launch } },
    },
  ]);
  const told = await Promise.all([...handles, unknown].map(settled));
  cases.push(['unknown', /ModuleNotFoundError: No module named 'nowhere'/, /Mend/, false]);
  for (const [at, [name, detail, remedy, outOfMemory]] of cases.entries()) {
    const health = told[at]!;
    assert.ok(health.state === 'failed', `${name}: ${JSON.stringify(health)}`);
    assert.match(health.detail, detail);
    assert.match(health.remedy, remedy);
    assert.equal(health.outOfMemory, outOfMemory);
  }
  await Promise.all([...handles, unknown].map(engine.stop));
});

test('a head that goes away is told of; when it is back, the application is declared again', async () => {
  const again = launch('coder');
  const handle = await engine.start(again, none, signal);
  assert.deepEqual(await settled(handle), { state: 'ready' });
  await ray.kill();
  const away = { code: 'ERR_ENGINE_UNAVAILABLE', message: /does not answer/, remedy: /models\.local\.ray/ };
  await assert.rejects(engine.health(handle, signal), away);
  await assert.rejects(engine.start(again, none, signal), away);
  // What serves requests ends after the head: it is gone when both are.
  await until('it went with the head', 60_000, async () => {
    const found = await engine.find(again).catch((error: AutocodeError) => error.code);
    return found === undefined ? 'gone' : undefined;
  });
  await engine.stop(handle);
  await ray.start();
  const health = await engine.health(handle, signal);
  assert.ok(health.state === 'failed');
  assert.match(health.detail, /does not know the application any more/);
  const next = await engine.start({ ...again, id: randomUUID() }, none, signal);
  assert.deepEqual(await settled(next), { state: 'ready' });
});
