// Metrics of the appliance's own models and GPUs, from what the daemon with the gateway keeps in the tables. Used by the metrics route.
import { MODEL_STATES } from '../../../protocol/local-model.ts';
import type { Gpu, LocalModelStatus } from '../../../protocol/local-model.ts';
import type { Queryable } from '../../db/connect.ts';
import { listGpus } from '../../models/gpu/store.ts';
import { listLocalModels } from '../../models/supervisor/members.ts';
import type { Metric, Sample } from './exposition.ts';

/** A name without its prefix, what it is, and its value for one of the things it is told of. */
type Column<T> = [name: string, help: string, of: (one: T) => number | null | undefined];

const STATE = 'what state it is in: 1 for that one, 0 for the others';

const ENGINE: Column<LocalModelStatus>[] = [
  ['requests_in_flight', 'requests that the gateway has at it', ({ inFlight }) => inFlight],
  ['requests_held', 'requests that wait at the gateway until it is loaded', ({ waiting }) => waiting],
  ['requests_running', 'requests that its engine works on', ({ figures }) => figures?.running],
  ['requests_waiting', 'requests that wait inside its engine', ({ figures }) => figures?.waiting],
  [
    'generated_tokens_total',
    'tokens generated since its engine began',
    ({ figures }) => figures?.generatedTokens,
  ],
  ['prompt_tokens_total', 'tokens of prompts since its engine began', ({ figures }) => figures?.promptTokens],
  [
    'first_token_seconds',
    'mean time to the first token of late',
    ({ figures }) => over(figures?.firstTokenMs, 1000),
  ],
  ['kv_cache_usage_ratio', 'share of its KV cache in use', ({ figures }) => figures?.kvUsage],
  [
    'prefix_cache_hit_ratio',
    'share of prompt tokens found in its prefix cache of late',
    ({ figures }) => figures?.prefixHits,
  ],
  [
    'memory_predicted_bytes',
    'memory on each of its GPUs, as planned',
    ({ predictedMib }) => bytes(predictedMib),
  ],
  [
    'memory_reported_bytes',
    'memory on each of its GPUs, as its engine says',
    ({ reportedMib }) => bytes(reportedMib),
  ],
  [
    'memory_measured_bytes',
    'memory on each of its GPUs, as nvidia-smi says',
    ({ measuredMib }) => bytes(measuredMib),
  ],
];

const GPU: Column<Gpu>[] = [
  ['memory_total_bytes', 'memory', ({ totalMib }) => bytes(totalMib)],
  ['memory_used_bytes', 'memory that is taken', ({ usedMib }) => bytes(usedMib)],
  [
    'memory_foreign_bytes',
    'memory taken by what is no engine of the appliance',
    ({ foreignMib }) => bytes(foreignMib),
  ],
  ['utilisation_ratio', 'share of the time in which it worked', ({ utilisation }) => over(utilisation, 100)],
  ['temperature_celsius', 'temperature', ({ temperature }) => temperature],
  ['power_watts', 'power that it takes', ({ watts }) => watts],
  ['ecc_errors_total', 'uncorrected memory errors since the driver was loaded', ({ eccErrors }) => eccErrors],
  ['xid', 'number of the last Xid error since the daemon began, if any', ({ xid }) => xid],
];

/** Metrics of all models of the catalogue and all GPUs. */
export async function modelMetrics(db: Queryable): Promise<Metric[]> {
  const [models, { gpus }, launches] = await Promise.all([
    listLocalModels(db),
    listGpus(db),
    countLaunches(db),
  ]);
  const ofModel = ({ name, engine }: LocalModelStatus) => ({ model: name, engine });
  const ofGpu = ({ index, name }: Gpu) => ({ gpu: index, name });
  return [
    states('autocode_engine_state', 'Of a model', MODEL_STATES, models, ofModel),
    ...columns('autocode_engine_', 'Of a model', ENGINE, models, ofModel),
    ...launches,
    states('autocode_gpu_state', 'Of a GPU', ['ok', 'warning', 'lost'], gpus, ofGpu),
    ...columns('autocode_gpu_', 'Of a GPU', GPU, gpus, ofGpu),
  ];
}

function columns<T>(
  prefix: string,
  whose: string,
  table: Column<T>[],
  rows: readonly T[],
  labels: (row: T) => Sample[0],
): Metric[] {
  return table.map(([name, help, of]) => ({
    name: `${prefix}${name}`,
    type: name.endsWith('_total') ? 'counter' : 'gauge',
    help: `${whose}: ${help}.`,
    samples: rows.map((row): Sample => [labels(row), of(row)]),
  }));
}

function states<T extends { state: string }>(
  name: string,
  whose: string,
  all: readonly T['state'][],
  rows: readonly T[],
  labels: (row: T) => Sample[0],
): Metric {
  const samples = rows.flatMap((row) =>
    all.map((state): Sample => [{ ...labels(row), state }, row.state === state ? 1 : 0]),
  );
  return { name, type: 'gauge', help: `${whose}: ${STATE}.`, samples };
}

async function countLaunches(db: Queryable): Promise<Metric[]> {
  const { rows } = await db.query<{ model: string; starts: number; failures: number }>(
    `select model, count(*)::int as starts, (count(*) filter (where state = 'failed'))::int as failures
     from engine_instance group by model order by model`,
  );
  const table: Column<(typeof rows)[number]>[] = [
    ['starts_total', 'engines that were started for it', ({ starts }) => starts],
    ['failures_total', 'engines that failed', ({ failures }) => failures],
  ];
  return columns('autocode_engine_', 'Of a model', table, rows, ({ model }) => ({ model }));
}

function bytes(mib: number | null): number | null {
  return mib === null ? null : mib * 1024 * 1024;
}

function over(value: number | null | undefined, divisor: number): number | null {
  return value === null || value === undefined ? null : value / divisor;
}
