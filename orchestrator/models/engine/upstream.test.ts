import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeEngine, sendBody } from '../testing/fake-engine.ts';
import { baseAddress, upstreamEngine } from './upstream.ts';

test('an address may name its version or leave it out', () => {
  const cases = [
    ['http://h:8000', 'http://h:8000', '/v1'],
    ['http://h:8000/', 'http://h:8000', '/v1'],
    ['http://h:8000/v1/', 'http://h:8000', '/v1'],
    ['https://h/api', 'https://h', '/api/v1'],
    ['https://h/api/v1', 'https://h', '/api/v1'],
    ['https://h/v1beta/openai/', 'https://h', '/v1beta/openai'],
  ];
  for (const [address = '', origin, path] of cases)
    assert.deepEqual(baseAddress(address), { origin, path }, address);
});

test('the key goes as a bearer token, and as x-api-key to an engine that speaks Messages alone', async () => {
  await using far = await fakeEngine();
  far.answers((response) => sendBody(response, 200, {}));
  const request = {
    protocol: 'messages',
    path: '/messages',
    body: Buffer.from('{}'),
    json: {},
    headers: {},
  } as const;
  for (const protocols of [['chat', 'messages'], ['messages']] as const) {
    const engine = upstreamEngine({ name: 'far', url: far.url, protocols, apiKey: async () => 'k' });
    for await (const _ of (await engine.answer({ ...request, signal: new AbortController().signal })).body);
    await engine.close();
  }
  assert.deepEqual(
    far.seen.map(({ headers }) => [headers.authorization, headers['x-api-key']]),
    [
      ['Bearer k', undefined],
      [undefined, 'k'],
    ],
  );
});

test('a body in parts arrives whole, with its length', async () => {
  await using far = await fakeEngine();
  far.answers((response) => sendBody(response, 200, {}));
  const engine = upstreamEngine({
    name: 'far',
    url: far.url,
    protocols: ['chat'],
    apiKey: async () => undefined,
  });
  const text = 'x'.repeat(1_000_000);
  const request = {
    protocol: 'chat',
    path: '/chat/completions',
    body: [Buffer.from('{"text":'), Buffer.from(JSON.stringify(text)), Buffer.from('}')],
    json: {},
    headers: {},
  } as const;
  for await (const _ of (await engine.answer({ ...request, signal: new AbortController().signal })).body);
  const [seen] = far.seen;
  assert.deepEqual([seen?.headers['content-length'], seen?.body], ['1000011', JSON.stringify({ text })]);
  await engine.close();
});

test('an engine that is away is named, without the password in its address', async () => {
  const engine = upstreamEngine({
    name: 'far',
    url: 'http://me:secret@127.0.0.1:9',
    protocols: ['chat'],
    apiKey: async () => undefined,
  });
  const request = {
    protocol: 'chat',
    path: '/chat/completions',
    body: Buffer.from('{}'),
    json: {},
    headers: {},
  } as const;
  await assert.rejects(
    engine.answer({ ...request, signal: new AbortController().signal }),
    (error: Error & { code: string }) => {
      assert.equal(error.code, 'ERR_ENGINE_UNAVAILABLE');
      assert.match(
        error.message,
        /^The engine far at http:\/\/127\.0\.0\.1:9\/ does not answer: .*ECONNREFUSED/,
      );
      return true;
    },
  );
  await engine.close();
});
