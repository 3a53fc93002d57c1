import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { sendBody, sendStream } from '../models/testing/fake-engine.ts';
import { encodeEvent } from '../models/wire/sse.ts';
import { WIRES } from '../models/wire/table.ts';
import type { Reply } from '../models/wire/wire.ts';
import { liveRun } from './testing/live-run.ts';
import { gatewayRig } from './testing/rig.ts';

const TEXT: Reply = {
  id: 'x',
  model: 'vendor/Small',
  text: 'Hello.',
  toolCalls: [],
  tokens: { input: 1000, cached: 900, output: 10 },
};
const CALL: Reply = { ...TEXT, toolCalls: [{ name: 'edit', arguments: '{"a":1}', freeform: false }] };
const COST = 300 + 270 + 150;

for (const wire of Object.values(WIRES)) {
  const path = `/v1${wire.path}`;
  const streamOf = (reply: Reply) => wire.events(reply).map(encodeEvent).join('');

  test(`${wire.protocol}: an answer passes unchanged, streamed and whole, text and tool call, and is recorded`, async () => {
    await using rig = await gatewayRig();
    for (const reply of [TEXT, CALL]) {
      rig.engine.answers((response) => sendStream(response, streamOf(reply)));
      const streamed = await rig.post(path, { model: 'fake/small', stream: true, messages: [] });
      assert.equal(await streamed.text(), streamOf(reply));
      assert.equal(streamed.headers.get('x-autocode-model'), 'fake/small');
      assert.match(streamed.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
      rig.engine.answers((response) => sendBody(response, 200, wire.whole(reply)));
      const whole = await rig.post(path, { model: 'small', messages: [] });
      assert.deepEqual(await whole.json(), JSON.parse(JSON.stringify(wire.whole(reply))));
    }
    const calls = await rig.calls();
    assert.equal(calls.length, 4);
    for (const call of calls) {
      assert.deepEqual(
        [
          call.run,
          call.protocol,
          call.model_served,
          call.input_tokens,
          call.cached_tokens,
          call.output_tokens,
          call.usage_source,
          call.cost_micros,
          call.outcome,
        ],
        [rig.run, wire.protocol, 'fake/small', 1000, 900, 10, 'upstream', COST, 'ok'],
      );
    }
    assert.deepEqual(
      calls.map((call) => call.model_asked),
      ['fake/small', 'small', 'fake/small', 'small'],
    );
  });

  test(`${wire.protocol}: the engine gets its own key and model, and the body otherwise as it was`, async () => {
    await using rig = await gatewayRig();
    rig.engine.answers((response) => sendBody(response, 200, wire.whole(TEXT)));
    const body = '{"big":12345678901234567890, "model":"small","messages":[{"content":"ä\\u00e9"}]}';
    await rig.post(path, body, {
      headers: { cookie: 'a=b', 'x-api-key': rig.key, 'anthropic-version': '2023-06-01' },
    });
    const [seen] = rig.engine.seen;
    assert.equal(seen?.path, path);
    assert.equal(seen.body, body.replace('"small"', '"vendor/Small"'));
    assert.equal(seen.headers.authorization, 'Bearer secret of engine-key');
    assert.equal(seen.headers['anthropic-version'], '2023-06-01');
    assert.equal(seen.headers.cookie, undefined);
    assert.ok(!JSON.stringify(seen.headers).includes(rig.key));
  });

  test(`${wire.protocol}: errors of the engine pass with their status and cost nothing`, async () => {
    await using rig = await gatewayRig();
    for (const status of [400, 429, 500, 503]) {
      rig.engine.answers((response) => sendBody(response, status, { said: status }, { 'retry-after': '7' }));
      const answer = await rig.post(path, { model: 'small', stream: true });
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('retry-after'), '7');
      assert.deepEqual(await answer.json(), { said: status });
    }
    for (const call of await rig.calls()) {
      assert.deepEqual([call.outcome, call.cost_micros, call.input_tokens], ['error', 0, 0]);
    }
  });

  test(`${wire.protocol}: an error inside a stream passes, and is recorded as one`, async () => {
    await using rig = await gatewayRig();
    const event = encodeEvent(
      wire.refusalEvent({ status: 500, code: 'x', message: 'overloaded', requestId: 'r' }),
    );
    rig.engine.answers((response) => sendStream(response, event));
    assert.equal(await (await rig.post(path, { model: 'small', stream: true })).text(), event);
    assert.equal((await rig.calls())[0]?.outcome, 'error');
  });

  test(`${wire.protocol}: an engine that breaks off is told inside the stream and charged for what was seen`, async () => {
    await using rig = await gatewayRig();
    rig.engine.answers((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(streamOf(TEXT).slice(0, -60), () => response.destroy());
    });
    const text = await (await rig.post(path, { model: 'small', stream: true })).text();
    assert.match(text, /\n\n(event: error\n)?data: .*broke off its answer.*ERR_ENGINE_UNAVAILABLE/);
    const [call] = await rig.calls();
    assert.equal(call?.outcome, 'error');
    assert.equal(call.usage_source, 'estimated');
    assert.ok(Number(call.output_tokens) > 0);
  });

  test(`${wire.protocol}: an engine that is away is a 502 in the protocol's shape`, async () => {
    await using rig = await gatewayRig();
    const answer = await rig.post(path, { model: 'away/nobody' });
    assert.equal(answer.status, 502);
    const { error } = (await answer.json()) as { error: { message: string } };
    assert.match(
      error.message,
      /The engine away at http:\/\/127\.0\.0\.1:9\/ does not answer.*\[ERR_ENGINE_UNAVAILABLE\]/,
    );
    assert.equal((await rig.calls())[0]?.outcome, 'error');
  });

  test(`${wire.protocol}: refusals have the protocol's own shape`, async () => {
    await using rig = await gatewayRig();
    const refused = async (answer: Response, status: number, type: string, message: RegExp) => {
      assert.equal(answer.status, status);
      const body = (await answer.json()) as { type?: string; error: { type: string; message: string } };
      assert.equal(body.type, wire.protocol === 'messages' ? 'error' : undefined);
      assert.equal(body.error.type, type);
      assert.match(body.error.message, message);
      assert.ok(answer.headers.get('x-request-id'));
    };
    const notFound = wire.protocol === 'messages' ? 'not_found_error' : 'invalid_request_error';
    await refused(await rig.post(path, { model: 'huge' }), 404, notFound, /no model "huge".*fake\/small/);
    await refused(await rig.post(path, '{"model":'), 400, 'invalid_request_error', /not a JSON object/);
    await refused(await rig.post(path, '[1]'), 400, 'invalid_request_error', /not a JSON object/);
    await refused(
      await rig.post(path, {}, { headers: { authorization: 'Bearer wrong' } }),
      401,
      'authentication_error',
      /not known/,
    );
    const dead = await liveRun(rig.db);
    await rig.db.query(`update run set state = 'cancelled' where id = $1`, [dead.run]);
    const authorization = `Bearer ${dead.key}`;
    await refused(
      await rig.post(path, {}, { headers: { authorization } }),
      401,
      'authentication_error',
      /is cancelled/,
    );
    assert.equal((await rig.calls()).length, 0);
  });

  test(`${wire.protocol}: without figures from the engine the answer is counted`, async () => {
    await using rig = await gatewayRig();
    const bare = streamOf({ ...TEXT, text: 'x'.repeat(400) }).replaceAll(
      /"(usage|input_tokens|output_tokens)":/g,
      '"left_out":',
    );
    rig.engine.answers((response) => sendStream(response, bare));
    const body = JSON.stringify({ model: 'dear', stream: true, messages: ['y'.repeat(4000)] });
    await (await rig.post(path, body)).text();
    const [call] = await rig.calls();
    assert.deepEqual([call?.usage_source, call?.output_tokens], ['counted', 100]);
    assert.equal(call?.input_tokens, Math.ceil(body.length / 4));
    assert.equal(call.cost_micros, Number(call.input_tokens) * 15 + 100 * 75);
  });
}

test('a chat stream is made to tell its usage, with the options of the client kept', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendStream(response, 'data: [DONE]\n\n'));
  await rig.post('/v1/chat/completions', { model: 'small', stream: true, stream_options: { other: 1 } });
  assert.deepEqual(JSON.parse(rig.engine.seen[0]?.body ?? '').stream_options, {
    other: 1,
    include_usage: true,
  });
});

test('the record is there before the client sees the end of the answer', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendStream(response, WIRES.chat.events(TEXT).map(encodeEvent).join('')));
  const answer = await rig.post('/v1/chat/completions', { model: 'small', stream: true });
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.includes('[DONE]')) break;
  }
  assert.equal((await rig.calls()).length, 1);
});

test('a client that goes stops the engine, and what was seen is charged', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(
      WIRES.chat
        .events({ ...TEXT, text: 'z'.repeat(80) })
        .slice(0, 1)
        .map(encodeEvent)
        .join(''),
    );
  });
  const client = new AbortController();
  const answer = await rig.post(
    '/v1/chat/completions',
    { model: 'small', stream: true },
    { signal: client.signal },
  );
  await answer.body?.getReader().read();
  client.abort();
  await rig.engine.seen[0]?.closed;
  const [call] = await until(
    () => rig.calls(),
    (calls) => calls.length === 1,
  );
  assert.deepEqual([call?.outcome, call?.usage_source, call?.output_tokens], ['aborted', 'estimated', 20]);
});

test('a client that goes before the first byte stops the engine too', async () => {
  await using rig = await gatewayRig();
  const arrived = Promise.withResolvers<void>();
  rig.engine.answers(() => arrived.resolve());
  const client = new AbortController();
  const answer = rig.post('/v1/messages', { model: 'small' }, { signal: client.signal });
  await arrived.promise;
  client.abort();
  await assert.rejects(answer);
  await rig.engine.seen[0]?.closed;
  const [call] = await until(
    () => rig.calls(),
    (calls) => calls.length === 1,
  );
  assert.deepEqual([call?.outcome, call?.status, call?.first_byte_ms], ['aborted', 499, null]);
});

test('a slow reader slows the engine down instead of filling memory', async () => {
  await using rig = await gatewayRig();
  const piece = encodeEvent({
    data: JSON.stringify({ choices: [{ delta: { content: 'x'.repeat(64 * 1024) } }] }),
  });
  const total = 64 * 1024 * 1024;
  let sent = 0;
  rig.engine.answers(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    while (sent < total) {
      sent += piece.length;
      if (!response.write(piece)) await once(response, 'drain');
    }
    response.end('data: [DONE]\n\n');
  });
  const body = JSON.stringify({ model: 'small', stream: true });
  const request = httpRequest(`${rig.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rig.key}` },
  });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  // Nobody reads: what the engine has sent stops growing, far below the whole.
  await until(
    async () => ({ before: sent, after: (await delay(100), sent) }),
    ({ before, after }) => before === after && after > 0,
  );
  assert.ok(sent < total / 2, `${sent} bytes were taken from the engine`);
  let received = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) received += chunk.length;
  assert.equal(received, sent + 'data: [DONE]\n\n'.length);
});

test('a stream that is silent for too long, or an engine that never answers, is given up', async () => {
  await using rig = await gatewayRig({ timeouts: { firstByteMs: 200, idleMs: 200 } });
  rig.engine.answers(() => {});
  assert.equal((await rig.post('/v1/chat/completions', { model: 'small' })).status, 502);
  rig.engine.answers(
    (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hi\n\n'),
  );
  assert.match(
    await (await rig.post('/v1/chat/completions', { model: 'small', stream: true })).text(),
    /broke off its answer/,
  );
});

async function until<T>(read: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  for (const deadline = Date.now() + 10_000; ; await delay(10)) {
    const value = await read();
    if (good(value)) return value;
    assert.ok(Date.now() < deadline, 'not within 10 s');
  }
}

test('an engine that never ends its answer is cut, and what it said is charged', async () => {
  await using rig = await gatewayRig({ timeouts: { wholeMs: 300 } });
  const piece = encodeEvent({ data: JSON.stringify({ choices: [{ delta: { content: 'and on ' } }] }) });
  rig.engine.answers(async (response, { closed }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => response.write(piece), 5);
    await closed;
    clearInterval(timer);
  });
  const text = await (await rig.post('/v1/chat/completions', { model: 'small', stream: true })).text();
  assert.match(text, /and on .*broke off its answer.*ERR_ENGINE_UNAVAILABLE/s);
  const [call] = await rig.calls();
  assert.deepEqual([call?.outcome, call?.usage_source], ['error', 'estimated']);
  assert.ok(Number(call?.output_tokens) > 0);
});
