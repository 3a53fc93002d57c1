// Budgets at the gateway: what is left bounds the output, the model is warned, and at the end calls are refused in the client's
// own protocol; local GPUs cost the time that they were busy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budget } from '../budget/testing/books.ts';
import { sendBody } from '../models/testing/fake-engine.ts';
import { gatewayRig, type Rig } from './testing/rig.ts';

const CHAT = '/v1/chat/completions';
const answerOf = (input: number, output: number) => ({
  choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: input, completion_tokens: output },
});
const message = { role: 'user', content: 'hello' };

const bodies = (rig: Rig) => rig.engine.seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>);

test('what is left of a budget bounds the output, and then refuses, in words and shapes of each protocol', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendBody(response, 200, answerOf(100, 1_000)));
  // 15 a million for output: 1,000 tokens are 15,000 millionths, and 300 for the input.
  await budget(rig.db, ['run', '*'], 'total', 'money', 34_000);
  const ask = async () => await rig.post(CHAT, { model: 'small', max_tokens: 2_000, messages: [message] });
  assert.equal((await ask()).status, 200);
  assert.equal((await ask()).status, 200);
  const refused = await ask();
  assert.equal(refused.status, 402);
  const { error } = (await refused.json()) as { error: { message: string; code: string } };
  assert.equal(error.code, 'ERR_BUDGET');
  assert.match(error.message, /The budget of run \S+ \(0\.0340 EUR in total\) leaves only 0\.0034 EUR\./);
  const [first, second] = bodies(rig);
  assert.equal(first?.max_tokens, 2_000);
  assert.ok((second?.max_tokens as number) < 2_000 && (second?.max_tokens as number) > 1_000);
  const messages = await rig.post('/v1/messages', { model: 'small', max_tokens: 2_000, messages: [message] });
  assert.equal(messages.status, 402);
  assert.match(await messages.text(), /"type":"error".*The budget of run/);
  const responses = await rig.post('/v1/responses', { model: 'small', max_output_tokens: 2_000, input: 'x' });
  assert.equal(responses.status, 402);
  assert.equal(rig.engine.seen.length, 2);
  assert.deepEqual(
    (await rig.calls()).map(({ cost_micros, outcome }) => [cost_micros, outcome]),
    [
      [15_300, 'ok'],
      [15_300, 'ok'],
    ],
  );
});

test('a request that does not bound its output is bounded where a budget binds it, and only there', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendBody(response, 200, answerOf(10, 10)));
  await rig.post(CHAT, { model: 'small', messages: [message] });
  await rig.gateway.stop();
  assert.equal(bodies(rig)[0]?.max_tokens, undefined);
  await using bound = await gatewayRig();
  bound.engine.answers((response) => sendBody(response, 200, answerOf(10, 10)));
  await budget(bound.db, ['appliance', ''], 'day', 'tokens', 5_000);
  await bound.post(CHAT, { model: 'small', messages: [message] });
  const most = bodies(bound)[0]?.max_tokens as number;
  assert.ok(most > 4_000 && most < 5_000, String(most));
});

test('the model is warned at 80, 90, 95 and 99 %, once each, behind all else', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendBody(response, 200, answerOf(0, 100)));
  await budget(rig.db, ['project', '*'], 'month', 'tokens', 10_000);
  await rig.db.query(
    `insert into account_day select 'project', name, (now() at time zone 'UTC')::date, 0, 7700, 0 from project`,
  );
  for (let call = 0; call < 20; call++)
    await rig.post(CHAT, { model: 'small', max_tokens: 100, messages: [message] });
  const warnings = bodies(rig)
    .map(({ messages }) => (messages as { content: string }[])[1]?.content)
    .filter((text) => text !== undefined)
    .map(
      (text) =>
        /^\[Autocode\] (\d+) % of the budget of project \S+ \(10,000 tokens a month\) is used/.exec(
          text,
        )?.[1],
    );
  assert.deepEqual(warnings, ['80', '90', '95']);
});

test('a price that was set holds for the next call; one to come does not yet', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendBody(response, 200, answerOf(1_000, 0)));
  const set = async (input: number, from: string) =>
    await rig.db.query(
      `insert into price (model, valid_from, price, source, created_by)
       values ('fake/small', now() + $2::interval, $1, 'test', 'ann')`,
      [JSON.stringify({ input, cached: input, output: 1 }), from],
    );
  await set(7, '0 s');
  await set(9, '1 hour');
  await rig.post(CHAT, { model: 'small', messages: [message] });
  const [call] = await rig.calls();
  assert.deepEqual([call?.cost_micros, call?.price], [7_000, { input: 7, cached: 7, output: 1 }]);
});

test('an unknown price is the ceiling price, never zero', async () => {
  await using rig = await gatewayRig();
  rig.engine.answers((response) => sendBody(response, 200, answerOf(1_000, 100)));
  await rig.post(CHAT, { model: 'dear', messages: [message] });
  assert.equal((await rig.calls())[0]?.cost_micros, 15_000 + 7_500);
});

test('on GPUs of our own a call costs the time that they were busy, and its energy', async () => {
  const gpu = { count: 2, pricePerHour: 3_600, watts: 500, pricePerKwh: 7_200 }; // 1 a second, and as much for energy
  await using rig = await gatewayRig({
    engines: (url) => [
      {
        kind: 'upstream',
        queue: 9,
        queueSeconds: 9,
        name: 'gpu',
        url,
        protocols: ['chat'],
        models: [{ name: 'own' }],
        gpu,
      },
    ],
  });
  rig.engine.answers((response) => void setTimeout(() => sendBody(response, 200, answerOf(1_000, 100)), 200));
  await Promise.all(
    [1, 2].map(async () => await rig.post(CHAT, { model: 'own', max_tokens: 10, messages: [message] })),
  );
  const calls = await rig.calls();
  const times = calls.map((call) => call.gpu_ms as number);
  const sum = times.reduce((all, each) => all + each, 0);
  assert.ok(sum > 390 && sum < 2_000, `${times.join(' + ')} ms of two GPUs for 200 ms`);
  for (const call of calls)
    assert.equal(call.cost_micros, Math.ceil(((call.gpu_ms as number) / 1000) * 2 * 1e6));
  const { rows } = await rig.db.query(
    `select sum(gpu)::int as gpu from account_day where scope = 'appliance'`,
  );
  assert.equal(rows[0].gpu, sum);
});
