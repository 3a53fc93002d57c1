// What a caller gets beside the answer itself: which model, from where, whether at all. A running gateway before engines
// over real HTTP.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKey, revokeKey } from '../access/keys.ts';
import { sendBody } from '../models/testing/fake-engine.ts';
import { WIRES } from '../models/wire/table.ts';
import type { Reply } from '../models/wire/wire.ts';
import { gatewayRig } from './testing/rig.ts';
import type { Rig } from './testing/rig.ts';

const TEXT: Reply = {
  id: 'x',
  model: 'vendor/Small',
  text: 'Hello.',
  toolCalls: [],
  tokens: { input: 1000, cached: 900, output: 10 },
};
const CHAT = '/v1/chat/completions';
const answered = WIRES.chat.whole(TEXT);

type Engines = NonNullable<Parameters<typeof gatewayRig>[0]>['engines'];
const engine = (name: string, url: string, more: object = {}) => ({
  kind: 'upstream' as const,
  name,
  url,
  queue: 10,
  queueSeconds: 10,
  protocols: ['chat' as const],
  models: [{ name: 'm' }],
  ...more,
});
/** Two engines behind one address; the model's name in the body tells them apart. */
const PAIR: Engines = (url) => [
  engine('one', url, { models: [{ name: 'm', upstreamModel: 'one' }] }),
  engine('two', url, { models: [{ name: 'm', upstreamModel: 'two' }] }),
];
const ROLES = { coder: ['one/m', 'two/m'] };

const setPolicy = (rig: Rig, policy: object) =>
  rig.db.query(`update project set model_policy = $1`, [JSON.stringify(policy)]);

test('a role is served by its first model, and by the next while that one is broken, never silently', async () => {
  await using rig = await gatewayRig({ engines: PAIR, roles: ROLES });
  let broken = true;
  rig.engine.answers((response, { body }) => {
    const { model } = JSON.parse(body) as { model: string };
    if (model === 'one' && broken) return sendBody(response, 503, { error: { message: 'loading' } });
    sendBody(response, 200, answered);
  });
  const ask = async (text: string) => {
    const answer = await rig.post(CHAT, { model: 'autocode/coder', messages: [text] });
    assert.equal(answer.status, 200);
    return [answer.headers.get('x-autocode-model'), answer.headers.get('x-autocode-fallback')];
  };
  assert.deepEqual(await ask('a'), ['two/m', 'one/m answered 503']);
  // The run stays where its conversation is cached.
  broken = false;
  assert.deepEqual(await ask('b'), ['two/m', 'still, since one/m answered 503']);
  const other = (await rig.db.query('select model_asked, model_served, fallback from model_call order by id'))
    .rows;
  assert.deepEqual(other, [
    { model_asked: 'autocode/coder', model_served: 'two/m', fallback: 'one/m answered 503' },
    { model_asked: 'autocode/coder', model_served: 'two/m', fallback: 'still, since one/m answered 503' },
  ]);
});

test('a role falls back from an engine that is away, and not from a request that is refused', async () => {
  await using rig = await gatewayRig({
    engines: (url) => [engine('one', 'http://127.0.0.1:9'), engine('two', url)],
    roles: ROLES,
  });
  rig.engine.answers((response) => sendBody(response, 200, answered));
  const answer = await rig.post(CHAT, { model: 'autocode/coder' });
  assert.equal(answer.headers.get('x-autocode-model'), 'two/m');
  assert.match(answer.headers.get('x-autocode-fallback') ?? '', /one\/m: The engine one.*does not answer/);
  rig.engine.answers((response) => sendBody(response, 400, { error: { message: 'too long' } }));
  assert.equal((await rig.post(CHAT, { model: 'autocode/coder' })).status, 400);
  assert.equal(rig.engine.seen.length, 2);
});

test('a model that fails again and again is left alone, and the client is told for how long', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendBody(response, 503, {}));
  for (let index = 0; index < 5; index++)
    assert.equal((await rig.post(CHAT, { model: 'small', index })).status, 503);
  const answer = await rig.post(CHAT, { model: 'small' });
  assert.equal(answer.status, 502);
  assert.match(await answer.text(), /failed 5 times in a row and is left alone/);
  assert.ok(Number(answer.headers.get('retry-after')) > 0);
  assert.equal(rig.engine.seen.length, 5);
});

test('an engine that is full queues, then refuses with 429 in the protocol of the client', async () => {
  await using rig = await gatewayRig({
    engines: (url) => [engine('one', url, { concurrency: 1, queue: 1 })],
  });
  const arrived = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  rig.engine.answers(async (response) => {
    arrived.resolve();
    await go.promise;
    sendBody(response, 200, answered);
  });
  const first = rig.post(CHAT, { model: 'one/m' });
  await arrived.promise;
  const rest = [rig.post('/v1/messages', { model: 'one/m' }), rig.post('/v1/messages', { model: 'm' })];
  const refused = await Promise.race(rest);
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.match(await refused.text(), /"type":"error".*rate_limit_error.*engine one is full/);
  go.resolve();
  assert.equal((await first).status, 200);
  await Promise.all(rest);
  const queued = (await rig.calls()).map((call) => Number(call.queue_ms));
  assert.equal(queued.length, 2);
});

test('a project uses the models that it allows; a refusal and the lists name them', async () => {
  await using rig = await gatewayRig({ engines: PAIR, roles: ROLES });
  await setPolicy(rig, { allow: ['two/m'] });
  rig.engine.answers((response) => sendBody(response, 200, answered));
  const refused = await rig.post('/v1/messages', { model: 'one/m' });
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /permission_error.*may not use the model .*one\/m.*It may use two\/m/);
  const served = await rig.post(CHAT, { model: 'autocode/coder' });
  assert.equal(served.headers.get('x-autocode-model'), 'two/m');
  const list = await fetch(`${rig.gateway.url}/v1/models`, { headers: { 'x-api-key': rig.key } });
  const { data } = (await list.json()) as { data: { id: string }[] };
  assert.deepEqual(
    data.map(({ id }) => id),
    ['two/m'],
  );
});

test('models are listed as the client knows them, roles too, and one by its name', async () => {
  await using rig = await gatewayRig({ engines: PAIR, roles: ROLES });
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${rig.gateway.url}${path}`, {
      headers: { 'x-api-key': rig.key, ...headers },
    });
    return (await answer.json()) as Record<string, unknown>;
  };
  const ids = (list: Record<string, unknown>) => (list.data as { id: string }[]).map(({ id }) => id);
  const openai = await get('/v1/models');
  assert.deepEqual(ids(openai), ['autocode/coder', 'one/m', 'two/m']);
  assert.equal(openai.object, 'list');
  const anthropic = await get('/v1/models', { 'anthropic-version': '2023-06-01' });
  assert.deepEqual([anthropic.first_id, anthropic.last_id], ['autocode/coder', 'two/m']);
  assert.equal((await get('/v1/models/one%2Fm')).object, 'model');
  assert.match(JSON.stringify(await get('/v1/models/none')), /no model .*none.*autocode\/coder, one\/m/);
});

test('what leaves the appliance needs leave, and leaves a record', async () => {
  await using rig = await gatewayRig({ engines: (url) => [engine('cloud', url, { external: true })] });
  rig.engine.answers((response) => sendBody(response, 200, answered));
  const refused = await rig.post(CHAT, { model: 'cloud/m' });
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /outside the appliance.*model policy PROJECT --external/);
  await setPolicy(rig, { external: true });
  const { key } = await createKey(rig.db, { name: 'k', kind: 'person', models: [], external: true });
  const authorization = `Bearer ${key}`;
  assert.equal((await rig.post(CHAT, { model: 'cloud/m' }, { headers: { authorization } })).status, 200);
  const { rows } = await rig.db.query('select * from egress_record');
  assert.equal(rows.length, 1);
  assert.deepEqual([rows[0].engine, rows[0].host, rows[0].run], ['cloud', '127.0.0.1', null]);
  assert.equal(rows[0].bytes_out, rig.engine.seen[0]?.body.length);
  assert.equal(rows[0].bytes_in, JSON.stringify(answered).length);
});

test('the key of a person opens its models, is recorded with its calls, and dies when it is revoked', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendBody(response, 200, answered));
  const made = await createKey(rig.db, {
    name: 'ann',
    kind: 'person',
    models: ['fake/small'],
    external: false,
  });
  const post = (body: object, key = made.key) =>
    rig.post(CHAT, body, { headers: { authorization: `Bearer ${key}` } });
  assert.equal((await post({ model: 'small' })).status, 200);
  assert.equal((await post({ model: 'dear' })).status, 403);
  const [call] = await rig.calls();
  assert.deepEqual([call?.run, call?.key, call?.project], [null, made.id, null]);
  const brief = await createKey(rig.db, { name: 'brief', kind: 'service', models: [], external: false });
  await revokeKey(rig.db, brief.id);
  const refused = await post({ model: 'small' }, brief.key);
  assert.equal(refused.status, 401);
  assert.match(await refused.text(), /key brief has been revoked/);
});

test('embeddings are answered from memory the second time; completions pass, made to tell their usage', async () => {
  await using rig = await gatewayRig({
    engines: (url) => [engine('one', url, { protocols: ['embeddings', 'completions'] })],
  });
  const embedded = { data: [{ embedding: [1, 2] }], usage: { prompt_tokens: 7, total_tokens: 7 } };
  rig.engine.answers((response) => sendBody(response, 200, embedded));
  for (const hit of [null, 'hit']) {
    const answer = await rig.post('/v1/embeddings', { model: 'one/m', input: 'text' });
    assert.deepEqual(await answer.json(), embedded);
    assert.equal(answer.headers.get('x-autocode-cache'), hit);
  }
  assert.equal(rig.engine.seen.length, 1);
  rig.engine.answers((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"choices":[{"text":"ab","finish_reason":"stop"}]}\n\n');
    response.end(
      'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\ndata: [DONE]\n\n',
    );
  });
  await (await rig.post('/v1/completions', { model: 'one/m', prompt: 'x', stream: true })).text();
  assert.match(rig.engine.seen[1]?.body ?? '', /"stream_options":\{"include_usage":true\}/);
  assert.deepEqual(
    (await rig.calls()).map((call) => [
      call.protocol,
      call.input_tokens,
      call.output_tokens,
      call.usage_source,
    ]),
    [
      ['embeddings', 7, 0, 'upstream'],
      ['embeddings', 0, 0, 'upstream'],
      ['completions', 5, 2, 'upstream'],
    ],
  );
});

test('a request with temperature 0 is answered from memory where the project wants that', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendBody(response, 200, answered));
  await setPolicy(rig, { cacheAnswers: true });
  for (let index = 0; index < 2; index++) await rig.post(CHAT, { model: 'small', temperature: 0 });
  for (let index = 0; index < 2; index++) await rig.post(CHAT, { model: 'small', temperature: 1 });
  assert.equal(rig.engine.seen.length, 3);
});

test('tokens are counted by the engine where it can, else from the text', async () => {
  await using rig = await gatewayRig();
  const answer = await rig.post('/v1/messages/count_tokens', {
    model: 'only-chat',
    messages: ['x'.repeat(400)],
  });
  const { input_tokens: counted } = (await answer.json()) as { input_tokens: number };
  assert.ok(counted > 100 && counted < 150);
  assert.equal(rig.engine.seen.length, 0);
});

test("the calls of a run that repeats a lost one are the platform's", async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendBody(response, 200, answered));
  await rig.db.query(
    `insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline)
     select task || '-0', task, 0, 'lost', 'local', gen_random_uuid(), agent, model, isolation, deadline from run`,
  );
  await rig.post(CHAT, { model: 'small' });
  assert.deepEqual(
    (await rig.calls()).map(({ cause, worker }) => [cause, worker]),
    [['platform', 'local']],
  );
});
