import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocalModelStatus } from '../../protocol/local-model.ts';
import { testDatabase } from '../../test/support/database.ts';
import type { Catalogue } from '../models/catalogue.ts';
import { judge, type Reading } from '../models/gpu/judge.ts';
import { readCards } from '../models/gpu/nvidia-smi.ts';
import { keepGpus } from '../models/gpu/store.ts';
import { recorded } from '../models/gpu/testing/stand-in-smi.ts';
import { localPart, modelParts } from './model-status.ts';

const CATALOGUE = { list: () => [] } as Pick<Catalogue, 'list'> as Catalogue;

const READY: LocalModelStatus = {
  name: 'coder',
  engine: 'vllm',
  roles: [],
  load: 'on-demand',
  weights: 'here',
  state: 'ready',
  gpus: [0, 1],
  endpoint: 'http://127.0.0.1:1',
  pid: 1,
  since: null,
  usedAt: null,
  inFlight: 3,
  waiting: 0,
  predictedMib: null,
  reportedMib: null,
  measuredMib: null,
  figures: {
    running: 3,
    waiting: 0,
    tokensPerSecond: 41.24,
    firstTokenMs: 310.2,
    kvUsage: 0.234,
    prefixHits: 0.81,
    generatedTokens: 1,
    promptTokens: 1,
  },
  problem: null,
  remedy: null,
};

test('a model is a line with what it does', () => {
  const cases: [Partial<LocalModelStatus>, state: string, detail: string][] = [
    [
      {},
      'ok',
      'ready on GPU 0, 1, 41.2 tokens/s, first token 310 ms, KV cache 23 %, prefix hits 81 %, 3 in flight',
    ],
    [{ state: 'asleep', figures: null, inFlight: 0, gpus: [1] }, 'ok', 'asleep on GPU 1'],
    [{ state: 'unloaded', figures: null, inFlight: 0, gpus: [] }, 'off', 'unloaded'],
    [
      { state: 'unloaded', figures: null, inFlight: 0, gpus: [], weights: 'missing' },
      'off',
      'no weights: `autocode model import` brings them',
    ],
    [
      {
        state: 'unloaded',
        figures: null,
        inFlight: 0,
        gpus: [],
        problem: 'It does not fit.',
        remedy: 'Use int4.',
      },
      'degraded',
      'unloaded, It does not fit. Use int4.',
    ],
    [
      {
        state: 'failed',
        figures: null,
        inFlight: 0,
        gpus: [],
        problem: 'Out of memory.',
        remedy: 'Free some.',
      },
      'down',
      'failed: Out of memory. Free some.',
    ],
  ];
  for (const [change, state, detail] of cases)
    assert.deepEqual(localPart({ ...READY, ...change }), { name: 'local/coder', state, detail });
});

test('the GPUs are one line: what they are and have taken, and what is wrong with them', async () => {
  await using db = await testDatabase();
  const gpus = async () => (await modelParts(db.pool, CATALOGUE, true)).find(({ name }) => name === 'gpus');
  const see = async (reading: Partial<Reading>, problem: string | null = null) => {
    const cards = readCards(recorded('idle.txt')).cards;
    const rest = { at: 0, unreachable: [], failure: null, xids: [], isOurs: () => true, expected: new Map() };
    const judged = judge([], { ...rest, cards, processes: [], ...reading });
    await keepGpus(
      db.pool,
      judged.map(({ gpu, warnings }) => ({ ...gpu, warnings: [...warnings] })),
      problem,
    );
  };
  assert.equal((await gpus())?.state, 'down');
  await see({});
  assert.deepEqual(await gpus(), {
    name: 'gpus',
    state: 'ok',
    detail: '2 × NVIDIA RTX A5000, 0.0 of 48.0 GiB taken',
  });
  await see({
    cards: readCards(recorded('lost-in-rows.txt')).cards,
    processes: null,
    expected: new Map([[0, 21_894]]),
  });
  assert.deepEqual(await gpus(), {
    name: 'gpus',
    state: 'degraded',
    detail:
      '1 × NVIDIA RTX A5000, 21.4 of 24.0 GiB taken; GPU 1 lost: The driver says "GPU is lost". Restart the machine.',
  });
  await see({ cards: [] }, 'nvidia-smi is not there.');
  assert.deepEqual(await gpus(), { name: 'gpus', state: 'down', detail: 'nvidia-smi is not there.' });
});

test('an appliance without models of its own says so', async () => {
  await using db = await testDatabase();
  assert.deepEqual(await modelParts(db.pool, CATALOGUE, false), [
    { name: 'models', state: 'off', detail: 'no model elsewhere is configured; only recordings can answer' },
    { name: 'gpus', state: 'off', detail: 'models.local is not configured' },
  ]);
});
