// Metrics and GPUs as the API tells them. The metrics are read by a strict reader of the text format, below.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocalModel } from '../../../protocol/local-model.ts';
import { liveRun } from '../../gateway/testing/live-run.ts';
import { readCards } from '../../models/gpu/nvidia-smi.ts';
import { judge } from '../../models/gpu/judge.ts';
import { keepGpus } from '../../models/gpu/store.ts';
import { recorded } from '../../models/gpu/testing/stand-in-smi.ts';
import { testApi, type TestApi } from '../testing.ts';

const LOCAL = ['models.local.nvidiaSmi=/none'];
const MODEL = { name: 'coder', path: 'coder', roles: ['coder'] } satisfies Partial<LocalModel>;

async function withModels(api: TestApi): Promise<void> {
  const db = api.db.pool;
  await db.query(`insert into local_model (name, entry, weights, waiting) values ('coder', $1, 'here', 2)`, [
    MODEL,
  ]);
  await db.query(
    `insert into engine_instance (launch, model, kind, state, gpus, predicted_mib, measured_mib, in_flight, figures)
     values (gen_random_uuid(), 'coder', 'vllm', 'ready', '[0,1]', 21000, 21878, 3, $1)`,
    [
      {
        running: 3,
        waiting: 1,
        tokensPerSecond: 41.2,
        firstTokenMs: 310,
        kvUsage: 0.23,
        prefixHits: 0.81,
        generatedTokens: 12_345,
        promptTokens: 99_000,
      },
    ],
  );
  await db.query(
    `insert into engine_instance (launch, model, kind, state) values (gen_random_uuid(), 'coder', 'vllm', 'failed')`,
  );
  const reading = {
    at: 0,
    unreachable: [],
    failure: null,
    xids: [],
    isOurs: () => true,
    expected: new Map(),
  };
  const judged = judge([], { ...reading, cards: readCards(recorded('serving.txt')).cards, processes: null });
  await keepGpus(
    db,
    judged.map(({ gpu, warnings }) => ({ ...gpu, warnings: [...warnings] })),
    null,
  );
}

test('models, GPUs, work and money are metrics that Prometheus can read', async () => {
  await using api = await testApi(LOCAL);
  await withModels(api);
  await liveRun(api.db.pool);
  const { status, text, headers } = await api.send('viewer', 'GET', '/api/v1/metrics');
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const values = read(text);
  const of = (series: string) => values.get(series);
  const coder = 'model="coder",engine="vllm"';
  assert.equal(of(`autocode_engine_state{${coder},state="ready"}`), 1);
  assert.equal(of(`autocode_engine_state{${coder},state="failed"}`), 0);
  assert.equal(of(`autocode_engine_generated_tokens_total{${coder}}`), 12_345);
  assert.equal(of(`autocode_engine_first_token_seconds{${coder}}`), 0.31);
  assert.equal(of(`autocode_engine_requests_held{${coder}}`), 2);
  assert.equal(of(`autocode_engine_memory_measured_bytes{${coder}}`), 21_878 * 1024 * 1024);
  assert.equal(of(`autocode_engine_memory_reported_bytes{${coder}}`), undefined);
  assert.equal(of('autocode_engine_starts_total{model="coder"}'), 2);
  assert.equal(of('autocode_engine_failures_total{model="coder"}'), 1);
  assert.equal(of('autocode_gpu_temperature_celsius{gpu="0",name="NVIDIA RTX A5000"}'), 74);
  assert.equal(of('autocode_gpu_utilisation_ratio{gpu="1",name="NVIDIA RTX A5000"}'), 0.98);
  assert.equal(of('autocode_tasks{state="running"}'), 1);
  assert.equal(of('autocode_tasks{state="failed"}'), 0);
  assert.equal(of('autocode_spent_today{currency="USD"}'), 0);
});

test('an appliance that runs no models has metrics of its work alone, and no GPUs', async () => {
  await using api = await testApi();
  const { text } = await api.send('viewer', 'GET', '/api/v1/metrics');
  assert.ok(read(text).has('autocode_workers{state="online"}'));
  assert.ok(!text.includes('autocode_engine') && !text.includes('autocode_gpu'));
  const { body } = await api.send('viewer', 'GET', '/api/v1/gpus');
  assert.deepEqual(body.gpus, []);
  assert.match(body.problem, /models\.local is not configured/);
});

test('GPUs are told as they were seen last', async () => {
  await using api = await testApi(LOCAL);
  const before = await api.send('viewer', 'GET', '/api/v1/gpus');
  assert.match(before.body.problem, /Nobody has looked/);
  await withModels(api);
  const { body } = await api.send('viewer', 'GET', '/api/v1/gpus');
  assert.equal(body.problem, null);
  assert.deepEqual(
    body.gpus.map(({ index, usedMib, state }: { index: number; usedMib: number; state: string }) => [
      index,
      usedMib,
      state,
    ]),
    [
      [0, 21_894, 'warning'],
      [1, 21_886, 'warning'],
    ],
  );
});

/** Reads the text format as Prometheus does: help and type before the samples, each once, names and labels of the allowed letters, no series twice. */
function read(text: string): Map<string, number> {
  assert.ok(text.endsWith('\n'));
  const values = new Map<string, number>();
  const families = new Set<string>();
  let family = '';
  let type = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const [, help] = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S.*$/.exec(line) ?? [];
    const [, typed, kind] = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)$/.exec(line) ?? [];
    if (help !== undefined) {
      assert.ok(!families.has(help), `${help} comes twice`);
      families.add((family = help));
      type = '';
    } else if (typed !== undefined) {
      assert.equal(typed, family);
      type = kind!;
      assert.equal(type === 'counter', family.endsWith('_total'), family);
    } else {
      const sample =
        /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,(?=[a-z])|(?=\})))*\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/;
      const [, name, value] = sample.exec(line) ?? [];
      assert.ok(name !== undefined && name === family && type !== '', line);
      const series = line.slice(0, -value!.length - 1);
      assert.ok(!values.has(series), `${series} comes twice`);
      values.set(series, Number(value));
    }
  }
  return values;
}
