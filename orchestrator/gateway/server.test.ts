import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendBody } from '../models/testing/fake-engine.ts';
import { encodeEvent } from '../models/wire/sse.ts';
import { WIRES } from '../models/wire/table.ts';
import type { Reply } from '../models/wire/wire.ts';
import { startGateway } from './server.ts';
import { liveRun } from './testing/live-run.ts';
import { gatewayRig } from './testing/rig.ts';

const TEXT: Reply = {
  id: 'x',
  model: 'vendor/Small',
  text: 'Hello.',
  toolCalls: [],
  tokens: { input: 1000, cached: 900, output: 10 },
};

test('a request that names no model is served by the model of its run', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendBody(response, 200, WIRES.chat.whole(TEXT)));
  for (const body of [{}, { model: '' }, { model: 'default' }]) {
    assert.equal(
      (await rig.post('/v1/chat/completions', body)).headers.get('x-autocode-model'),
      'fake/small',
    );
  }
});

test('an engine that does not speak the protocol is named with what can be spoken', async () => {
  await using rig = await gatewayRig();
  const answer = await rig.post('/v1/embeddings', { model: 'only-chat' });
  assert.equal(answer.status, 400);
  assert.match(await answer.text(), /talker does not speak \/v1\/embeddings.*\/v1\/chat\/completions/);
});

test('a body that is too large is refused before any engine sees it', async () => {
  await using rig = await gatewayRig();
  const answer = await rig.post('/v1/messages', 'x'.repeat(51 * 1024 * 1024));
  assert.equal(answer.status, 413);
  assert.match(await answer.text(), /request_too_large.*larger than 50 MiB/);
  assert.equal(rig.engine.seen.length, 0);
});

test('models are listed for a key; other paths are refused with what is served', async () => {
  await using rig = await gatewayRig();
  const get = (path: string, key = rig.key) =>
    fetch(`${rig.gateway.url}${path}`, { headers: { 'x-api-key': key } });
  const { data } = (await (await get('/v1/models')).json()) as { data: { id: string }[] };
  assert.deepEqual(
    data.map((model) => model.id),
    ['fake/small', 'fake/dear', 'talker/only-chat', 'away/nobody'],
  );
  assert.equal((await get('/v1/models', 'wrong')).status, 401);
  const answer = await get('/v1/embeddings');
  assert.equal(answer.status, 404);
  assert.match(await answer.text(), /POST \/v1\/chat\/completions/);
});

test('counting tokens passes through and is no model call', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendBody(response, 200, { input_tokens: 12 }));
  const answer = await rig.post('/v1/messages/count_tokens', { model: 'small', messages: [] });
  assert.deepEqual(await answer.json(), { input_tokens: 12 });
  assert.equal(rig.engine.seen[0]?.path, '/v1/messages/count_tokens');
  assert.equal((await rig.calls()).length, 0);
});

test('a run that calls too often is slowed down, another is not', async () => {
  await using rig = await gatewayRig({ callsPerMinute: 2 });
  rig.engine.answers((response) => sendBody(response, 200, WIRES.chat.whole(TEXT)));
  const other = await liveRun(rig.db);
  // The count starts anew with each minute of the clock, so one of two rounds in a row is refused for certain.
  const statuses = [];
  for (let index = 0; index < 6; index++) statuses.push((await rig.post('/v1/chat/completions', {})).status);
  assert.ok(statuses.includes(429), String(statuses));
  const answer = await rig.post(
    '/v1/chat/completions',
    {},
    { headers: { authorization: `Bearer ${other.key}` } },
  );
  assert.equal(answer.status, 200);
});

test('stopping lets a running stream end', async () => {
  await using rig = await gatewayRig();
  const go = Promise.withResolvers<void>();
  rig.engine.answers(async (response) => {
    const [first, ...rest] = WIRES.chat.events(TEXT).map(encodeEvent);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(first);
    await go.promise;
    response.end(rest.join(''));
  });
  const answer = await rig.post('/v1/chat/completions', { model: 'small', stream: true });
  const stopped = rig.gateway.stop();
  await assert.rejects(fetch(`${rig.gateway.url}/v1/models`));
  go.resolve();
  assert.match(await answer.text(), /\[DONE\]/);
  await stopped;
  assert.equal((await rig.calls())[0]?.outcome, 'ok');
});

test('a port that is taken is told with the key to change', async () => {
  await using rig = await gatewayRig();
  const options = {
    host: '127.0.0.1',
    port: rig.gateway.port,
    db: rig.db,
    catalogue: { list: () => [], roles: () => [], resolve: assert.fail, ladder: assert.fail },
    books: { timeZone: 'UTC', currency: 'EUR' },
    guards: { callsPerRun: 1, tokensPerRun: 1, sameRequests: 2, sameToolCalls: 2 },
  };
  const log = { debug() {}, warn() {}, error() {} };
  await assert.rejects(startGateway({ ...options, secrets: { get: async () => '' }, log }), {
    code: 'ERR_PORT_TAKEN',
    remedy: /gateway\.port/,
  });
});
