import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocalServed } from './catalogue.ts';
import { engines } from './engines.ts';
import { fakeEngine, sendBody } from './testing/fake-engine.ts';

const serves: LocalServed = {
  kind: 'local',
  model: 'coder',
  spoken: ['chat'],
  context: 1024,
  gpu: { pricePerHour: 0, watts: 0, pricePerKwh: 0 },
};
const secrets = { get: async () => '' };
const options = { wait: true, signal: new AbortController().signal };
const request = {
  protocol: 'chat',
  path: '/chat/completions',
  body: [Buffer.from('{}')],
  json: {},
  headers: {},
  signal: options.signal,
} as const;

test('a place at a replica is given back once, however often its use is ended', async () => {
  await using far = await fakeEngine();
  far.answers((response) => sendBody(response, 200, {}));
  let released = 0;
  const acquire = async () => ({
    url: far.url,
    served: 'c',
    gpus: 2,
    failed: () => {},
    release: () => void released++,
  });
  const running = engines({ secrets, supervisor: { acquire } });
  const place = await running.acquire(serves, options);
  const { status, body } = await place.engine.answer(request);
  for await (const _ of body);
  place.release();
  place.release();
  assert.deepEqual([status, released, place.gpus], [200, 1, 2]);
  const again = await running.acquire(serves, options);
  assert.equal(again.engine, place.engine, 'its connections are kept');
  again.release();
  await running.close();
});

test('a replica that does not answer is told with the command that tells more', async () => {
  const acquire = async () => ({
    url: 'http://127.0.0.1:9',
    served: 'c',
    gpus: 1,
    failed: () => {},
    release: () => {},
  });
  const running = engines({ secrets, supervisor: { acquire } });
  const { engine } = await running.acquire(serves, options);
  await assert.rejects(engine.answer(request), {
    code: 'ERR_ENGINE_UNAVAILABLE',
    message: /local\/coder/,
    remedy: /autocode model show coder/,
  });
  await running.close();
});

test('without a supervisor the models of the appliance are refused with what to set', async () => {
  await assert.rejects(engines({ secrets }).acquire(serves, options), {
    code: 'ERR_ENGINE_UNAVAILABLE',
    remedy: /models\.local/,
  });
});
