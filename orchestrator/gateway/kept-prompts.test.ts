// Which calls are handed on to be kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKey } from '../access/keys.ts';
import { sendBody } from '../models/testing/fake-engine.ts';
import { encodeEvent } from '../models/wire/sse.ts';
import { WIRES } from '../models/wire/table.ts';
import type { PromptToKeep } from '../prompts/keeper.ts';
import { gatewayRig } from './testing/rig.ts';

const CHAT = '/v1/chat/completions';
const REPLY = {
  id: 'x',
  model: 'vendor/Small',
  text: 'Hello.',
  toolCalls: [],
  tokens: { input: 10, cached: 0, output: 10 },
};

async function keeping(policy: object) {
  const kept: PromptToKeep[] = [];
  const rig = await gatewayRig({ prompts: { keep: (prompt) => void kept.push(prompt) } });
  await rig.db.query(`update project set model_policy = $1`, [JSON.stringify(policy)]);
  rig.engine.answers((response, { body }) => {
    if (body.includes('"fail"')) return sendBody(response, 500, { error: { message: 'broken' } });
    if (body.includes('count')) return sendBody(response, 200, { input_tokens: 1 });
    if (!body.includes('"stream":true')) return sendBody(response, 200, WIRES.chat.whole(REPLY));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(WIRES.chat.events(REPLY).map(encodeEvent).join(''));
  });
  return { rig, kept };
}

test('nothing is kept unless the project says so', async () => {
  const { rig, kept } = await keeping({});
  await using _ = rig;
  await rig.post(CHAT, { model: 'small' });
  await rig.gateway.stop();
  assert.deepEqual(kept, []);
});

test('what the agent sent and got is kept, streamed or whole, and what did not come to a good end without its answer', async () => {
  const { rig, kept } = await keeping({ keepPrompts: true });
  await using _ = rig;
  const bodies = [
    { model: 'small', messages: [{ role: 'user', content: 'hi' }] },
    { model: 'small', stream: true },
    { model: 'small', user: 'fail' },
  ];
  const got = [];
  for (const body of bodies) got.push(await (await rig.post(CHAT, body)).text());
  await rig.gateway.stop();
  assert.deepEqual(
    kept.map(({ run, body, answer }) => [
      run,
      JSON.parse(String(body)),
      answer?.streamed,
      String(answer?.bytes),
    ]),
    [
      [rig.run, bodies[0], false, got[0]],
      [rig.run, bodies[1], true, got[1]],
      [rig.run, bodies[2], undefined, 'undefined'],
    ],
  );
  assert.deepEqual(
    (await rig.calls()).map(({ request }) => request),
    kept.map(({ request }) => request),
  );
});

test('an answer from memory is kept too; keys of people, embeddings and counted tokens are not', async () => {
  const { rig, kept } = await keeping({ keepPrompts: true, cacheAnswers: true });
  await using _ = rig;
  for (let index = 0; index < 2; index++) await rig.post(CHAT, { model: 'small', temperature: 0 });
  const { rows } = await rig.db.query<{ name: string }>(`select name from project`);
  const project = rows[0]!.name;
  const { key } = await createKey(rig.db, {
    name: 'k',
    kind: 'person',
    models: [],
    external: false,
    project,
  });
  await rig.post(CHAT, { model: 'small' }, { headers: { authorization: `Bearer ${key}` } });
  await rig.post('/v1/messages/count_tokens', {
    model: 'small',
    messages: [{ role: 'user', content: 'count' }],
  });
  await rig.post('/v1/embeddings', { model: 'small', input: 'x' });
  await rig.gateway.stop();
  assert.equal(kept.length, 2);
  assert.equal(String(kept[1]?.answer?.bytes), String(kept[0]?.answer?.bytes));
});
