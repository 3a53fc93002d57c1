import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { LocalModelStatus } from '../../../protocol/local-model.ts';
import { LocalModel } from '../../../protocol/local-model.ts';
import { answerCommand, waitingCommands } from '../../models/supervisor/commands.ts';
import { recordDecision } from '../../models/supervisor/decisions.ts';
import { keepCatalogue } from '../../models/supervisor/members.ts';
import { testApi, type TestApi } from '../testing.ts';

const LOCAL = '/api/v1/local-models';
let api: TestApi;
before(async () => {
  api = await testApi([
    'models.local.waitSeconds=60',
    `models.local.gpus=${JSON.stringify([{ totalMib: 8192 }])}`,
  ]);
  const models = ['coder', 'reasoner'].map((name) => LocalModel.parse({ name, path: name, roles: [] }));
  await keepCatalogue(api.db.pool, models);
});
after(async () => await api[Symbol.asyncDispose]());

const launched = async (model: string, state: string, more: Record<string, unknown> = {}) => {
  const columns = { model, kind: 'vllm', state, gpus: '[0]', predicted_mib: 7000, ...more };
  await api.db.pool.query(
    `insert into engine_instance (launch, ${Object.keys(columns).join(', ')})
     values (gen_random_uuid(), ${Object.keys(columns)
       .map((_, at) => `$${at + 1}`)
       .join(', ')})`,
    Object.values(columns),
  );
};
const models = async () => (await api.send('viewer', 'GET', LOCAL)).body as LocalModelStatus[];

test('without models.local there are none, and what to do is told', async () => {
  await using plain = await testApi();
  assert.deepEqual((await plain.send('viewer', 'GET', LOCAL)).body, []);
  const { status, body } = await plain.send('operator', 'POST', `${LOCAL}/coder/commands`, {
    action: 'load',
  });
  assert.equal(status, 404);
  assert.match(body.error.remedy, /Set models\.local/);
});

test('a model is told with what runs of it: the best state, all GPUs, all requests of its replicas', async () => {
  await launched('coder', 'stopped', { began_at: '2026-01-01', ended_at: '2026-01-02' });
  await launched('coder', 'loading', { replica: 1, gpus: '[1]' });
  await launched('coder', 'ready', { in_flight: 2, endpoint: 'http://127.0.0.1:9', measured_mib: 7100 });
  const [coder, reasoner] = await models();
  const { state, gpus, inFlight, predictedMib, measuredMib, endpoint } = coder!;
  assert.deepEqual(
    { state, gpus, inFlight, predictedMib, measuredMib, endpoint },
    {
      state: 'ready',
      gpus: [0, 1],
      inFlight: 2,
      predictedMib: 7000,
      measuredMib: 7100,
      endpoint: 'http://127.0.0.1:9',
    },
  );
  assert.equal(reasoner!.state, 'unloaded');
});

test('a model whose last launch failed says why, and what to do', async () => {
  await launched('reasoner', 'failed', {
    problem: 'it ran out.',
    remedy: 'Give it less.',
    ended_at: new Date(),
  });
  const { body } = await api.send('viewer', 'GET', `${LOCAL}/reasoner`);
  assert.deepEqual([body.state, body.problem, body.remedy], ['failed', 'it ran out.', 'Give it less.']);
  assert.deepEqual(body.gpus, []);
});

test('a command is kept with who asked, and followed until it is done', async () => {
  const made = await api.send('operator', 'POST', `${LOCAL}/coder/commands`, { action: 'unload' });
  assert.equal(made.status, 202);
  assert.equal(made.body.actor, 'operator');
  const [waiting] = await waitingCommands(api.db.pool);
  assert.equal(waiting?.id, made.body.id);
  await answerCommand(api.db.pool, made.body.id, { state: 'failed', detail: 'It is busy.', remedy: 'Wait.' });
  const { body } = await api.send('viewer', 'GET', `/api/v1/model-commands/${made.body.id}`);
  assert.deepEqual([body.state, body.detail, body.remedy], ['failed', 'It is busy.', 'Wait.']);
  assert.deepEqual(await waitingCommands(api.db.pool), []);
});

test('an unknown model is refused with those that there are, before anything is kept', async () => {
  const { status, body } = await api.send('operator', 'POST', `${LOCAL}/other/commands`, { action: 'load' });
  assert.equal(status, 404);
  assert.equal(body.error.code, 'ERR_MODEL_UNKNOWN');
  assert.match(body.error.remedy, /coder, reasoner/);
  assert.deepEqual(await waitingCommands(api.db.pool), []);
});

test('decisions are told with reason and outcome, the newest first', async () => {
  const settle = await recordDecision(api.db.pool, {
    model: 'coder',
    action: 'load',
    reason: 'asked for',
    gpus: [0],
  });
  await settle('ready after 3 s');
  await recordDecision(api.db.pool, { model: 'coder', action: 'sleep', reason: 'idle' });
  const { body } = await api.send('viewer', 'GET', `${LOCAL}/coder/decisions?limit=2`);
  assert.deepEqual(
    (body as { action: string; outcome: string | null }[]).map(({ action, outcome }) => [action, outcome]),
    [
      ['sleep', null],
      ['load', 'ready after 3 s'],
    ],
  );
});

test('the log of an engine is read from its end, and on from a byte', async () => {
  const none = await api.send('viewer', 'GET', `${LOCAL}/coder/log`);
  assert.equal(none.status, 404);
  const log = path.join(api.directory, 'engine.log');
  await writeFile(log, 'one\n');
  await launched('reasoner', 'loading', { handle: JSON.stringify({ log }) });
  assert.deepEqual((await api.send('viewer', 'GET', `${LOCAL}/reasoner/log`)).body, {
    text: 'one\n',
    end: 4,
  });
  await writeFile(log, 'one\ntwo\n');
  const more = await api.send('viewer', 'GET', `${LOCAL}/reasoner/log?from=4`);
  assert.deepEqual(more.body, { text: 'two\n', end: 8 });
});
