// Models that the appliance runs itself, behind a gateway: a stand-in for the supervisor says which are ready, the engines
// are real HTTP.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { AutocodeError } from '../../protocol/errors.ts';
import { LocalModel } from '../../protocol/local-model.ts';
import { createKey } from '../access/keys.ts';
import type { Acquired, AcquireOptions } from '../models/supervisor/acquired.ts';
import { fakeEngine, sendBody, sendStream } from '../models/testing/fake-engine.ts';
import type { FakeEngine } from '../models/testing/fake-engine.ts';
import { encodeEvent } from '../models/wire/sse.ts';
import { WIRES } from '../models/wire/table.ts';
import { gatewayRig } from './testing/rig.ts';

const REPLY = { id: 'x', model: 'm', text: 'Hi.', toolCalls: [], tokens: { input: 9, cached: 0, output: 2 } };
const GPU = { pricePerHour: 3600, watts: 0, pricePerKwh: 0 };
const ask = (model: string) => ({ model, messages: [{ role: 'user', content: 'hello' }] });

test('a model that is ready gets the request under its own name, and is paid by the GPU time it took', async () => {
  await using rig = await localRig();
  rig.models.first = 'ready';
  const response = await rig.post('/v1/chat/completions', ask('first'));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('x-autocode-model'), 'local/first');
  assert.equal(response.headers.get('x-autocode-fallback'), null);
  assert.equal(JSON.parse(rig.far.seen[0]!.body).model, 'served-first');
  const [call] = await rig.calls();
  assert.equal(call?.model_served, 'local/first');
  assert.ok(Number(call?.gpu_ms) > 0);
  assert.equal(Number(call?.cost_micros), Number(call?.gpu_ms) * 1000);
  assert.deepEqual(rig.held(), []);
});

test('while the first model of a role is loaded the next one answers, and the load was asked for', async () => {
  await using rig = await localRig();
  rig.models.second = 'ready';
  const response = await rig.post('/v1/chat/completions', ask('autocode/coder'));
  assert.equal(response.headers.get('x-autocode-model'), 'local/second');
  assert.match(response.headers.get('x-autocode-fallback') ?? '', /local\/first is being loaded/);
  assert.deepEqual(rig.asked, ['first', 'second']);
  assert.match(String((await rig.calls())[0]?.fallback), /being loaded/);
});

test('when none is ready the first one is waited for', async () => {
  await using rig = await localRig();
  const answered = rig.post('/v1/chat/completions', ask('autocode/coder'));
  await rig.waitedFor('first');
  rig.load('first');
  const response = await answered;
  assert.equal(response.headers.get('x-autocode-model'), 'local/first');
  assert.deepEqual(rig.asked, ['first', 'second', 'first, waiting']);
  assert.deepEqual(rig.held(), []);
});

test('a model that cannot be loaded is passed over, whether it was waited for or not', async () => {
  await using rig = await localRig();
  rig.models.first = 'broken';
  const answered = rig.post('/v1/chat/completions', ask('autocode/coder'));
  await rig.waitedFor('second');
  rig.load('second');
  const response = await answered;
  assert.equal(response.headers.get('x-autocode-model'), 'local/second');
  assert.match(response.headers.get('x-autocode-fallback') ?? '', /no room for local\/first/);
  const alone = await rig.post('/v1/chat/completions', ask('other'));
  assert.equal(alone.status, 200, 'one that is asked for by name is waited for at once');
  rig.models.other = 'broken';
  const refused = await rig.post('/v1/chat/completions', ask('other'));
  assert.equal(refused.status, 502);
  assert.match(await refused.text(), /no room for local\/other.*ERR_ENGINE_UNAVAILABLE/s);
});

test('what stands in for a model answers for it only where it may be used', async () => {
  await using rig = await localRig();
  rig.models.second = 'ready';
  const allowed = { name: 'k', kind: 'person', external: false } as const;
  const one = await createKey(rig.db, { ...allowed, models: ['local/first'] });
  const both = await createKey(rig.db, { ...allowed, models: ['local/first', 'local/second'] });
  const use = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
  const served = await rig.post('/v1/chat/completions', ask('local/first'), use(both.key));
  assert.equal(served.headers.get('x-autocode-model'), 'local/second');
  const waiting = rig.post('/v1/chat/completions', ask('local/first'), use(one.key));
  await rig.waitedFor('first');
  rig.load('first');
  assert.equal((await waiting).headers.get('x-autocode-model'), 'local/first');
});

test('an engine that answers 503 gives way to one that has to be loaded', async () => {
  await using rig = await localRig();
  rig.models.second = 'ready';
  rig.far.answers((response, { body }) => {
    if (body.includes('served-second')) return sendBody(response, 503, { error: { message: 'dying' } });
    sendBody(response, 200, WIRES.chat.whole(REPLY));
  });
  const answered = rig.post('/v1/chat/completions', ask('autocode/coder'));
  await rig.waitedFor('first');
  rig.load('first');
  const response = await answered;
  assert.deepEqual([response.status, response.headers.get('x-autocode-model')], [200, 'local/first']);
  assert.deepEqual(rig.held(), []);
});

test('an engine that dies in the middle of its answer is told in the protocol of the client', async () => {
  await using rig = await localRig();
  rig.models.first = 'ready';
  rig.far.answers((response, { path }) => {
    const events = WIRES[path === '/v1/messages' ? 'messages' : 'chat'].events(REPLY);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(encodeEvent(events[0]!), () => response.destroy());
  });
  const request = { ...ask('first'), stream: true, max_tokens: 10 };
  const chat = await (await rig.post('/v1/chat/completions', request)).text();
  assert.match(chat, /Hi\..*ERR_ENGINE_UNAVAILABLE/s);
  const messages = await (await rig.post('/v1/messages', request)).text();
  assert.match(messages, /event: error\ndata: \{"type":"error".*ERR_ENGINE_UNAVAILABLE/s);
  assert.deepEqual(rig.held(), []);
  assert.deepEqual(
    (await rig.calls()).map(({ outcome, model_served }) => [outcome, model_served]),
    [
      ['error', 'local/first'],
      ['error', 'local/first'],
    ],
  );
});

test('a client that goes gives its place back, in the queue and at the engine', async () => {
  await using rig = await localRig();
  const gone = new AbortController();
  const waiting = rig.post('/v1/chat/completions', ask('first'), { signal: gone.signal });
  waiting.catch(() => {});
  await rig.waitedFor('first');
  gone.abort();
  await rig.waiters.get('first')!.left;
  rig.models.second = 'ready';
  const begun = Promise.withResolvers<void>();
  rig.far.answers((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    begun.resolve();
  });
  const again = new AbortController();
  const streaming = rig.post(
    '/v1/chat/completions',
    { ...ask('second'), stream: true },
    { signal: again.signal },
  );
  streaming.catch(() => {});
  await begun.promise;
  assert.deepEqual(rig.held(), ['second']);
  again.abort();
  await rig.far.seen.at(-1)!.closed;
  while (rig.held().length > 0) await once(rig.releases, 'release');
});

test('an engine is asked in the protocols that it speaks, and in another one for those that it does not', async () => {
  await using rig = await localRig();
  rig.models.first = 'ready';
  rig.far.answers((response, { path }) =>
    sendBody(response, 200, path.endsWith('count_tokens') ? { input_tokens: 7 } : WIRES.chat.whole(REPLY)),
  );
  const counted = await rig.post('/v1/messages/count_tokens', ask('first'));
  assert.deepEqual(await counted.json(), { input_tokens: 7 });
  const asked = { model: 'other', input: 'hello' };
  assert.equal(JSON.parse(await (await rig.post('/v1/responses', asked)).text()).object, 'response');
  assert.deepEqual(
    rig.far.seen.map(({ path }) => path),
    ['/v1/messages/count_tokens', '/v1/chat/completions'],
  );
  assert.deepEqual(rig.held(), []);
});

type State = 'loading' | 'ready' | 'broken';

/** A gateway with the models `first`, `second` (both coders, the second stands in for the first) and `other`. */
async function localRig() {
  const far: FakeEngine = await fakeEngine();
  far.answers((response, { body }) =>
    JSON.parse(body).stream === true
      ? sendStream(response, WIRES.chat.events(REPLY).map(encodeEvent).join(''))
      : sendBody(response, 200, WIRES.chat.whole(REPLY)),
  );
  const models: Record<string, State> = { first: 'loading', second: 'loading', other: 'ready' };
  const asked: string[] = [];
  const held: string[] = [];
  const releases = new EventEmitter();
  const waiters = new Map<string, { admit(place: Acquired): void; left: Promise<unknown> }>();
  const place = (model: string): Acquired => {
    held.push(model);
    const release = () => {
      held.splice(held.indexOf(model), 1);
      releases.emit('release');
    };
    return { url: far.url, served: `served-${model}`, gpus: 2, failed: () => {}, release };
  };
  const acquire = async (model: string, { wait, signal }: AcquireOptions): Promise<Acquired> => {
    asked.push(wait ? `${model}, waiting` : model);
    if (models[model] === 'ready') return place(model);
    if (models[model] === 'broken')
      throw new AutocodeError('ERR_ENGINE_UNAVAILABLE', `There is no room for local/${model}.`);
    if (!wait) throw new AutocodeError('ERR_ENGINE_BUSY', `local/${model} is being loaded.`);
    const waiting = Promise.withResolvers<Acquired>();
    const left = once(signal, 'abort').then(() => waiting.reject(signal.reason));
    waiters.set(model, { admit: waiting.resolve, left });
    releases.emit('waiting');
    return await waiting.promise;
  };
  const rig = await gatewayRig({
    own: {
      models: [
        { name: 'first', roles: ['coder'], fallback: ['second'] },
        { name: 'second', roles: ['coder'] },
        { name: 'other' },
      ].map((model) => LocalModel.parse({ path: model.name, ...model })),
      gpu: GPU,
    },
    supervisor: { acquire },
  });
  return {
    ...rig,
    far,
    models,
    asked,
    releases,
    waiters,
    held: () => [...held],
    async waitedFor(model: string) {
      while (!waiters.has(model)) await once(releases, 'waiting');
    },
    load(model: string) {
      models[model] = 'ready';
      waiters.get(model)!.admit(place(model));
    },
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await far[Symbol.asyncDispose]();
    },
  };
}
