// What the status says of models: those of engines elsewhere, and each one of the appliance's own, with the GPUs. Used by status.ts.
import type { LocalModelStatus } from '../../protocol/local-model.ts';
import type { PartHealth } from '../../protocol/status.ts';
import type { Queryable } from '../db/connect.ts';
import type { Catalogue } from '../models/catalogue.ts';
import { listGpus } from '../models/gpu/store.ts';
import { listLocalModels } from '../models/supervisor/members.ts';

/** `own`: whether the appliance runs models itself. */
export async function modelParts(db: Queryable, catalogue: Catalogue, own: boolean): Promise<PartHealth[]> {
  const elsewhere = catalogue.list().filter(({ kind }) => kind === 'upstream');
  const models: PartHealth =
    elsewhere.length === 0
      ? {
          name: 'models',
          state: 'off',
          detail: `no model elsewhere is configured; only ${own ? 'models of its own and ' : ''}recordings can answer`,
        }
      : { name: 'models', state: 'ok', detail: elsewhere.map(({ name }) => name).join(', ') };
  if (!own) return [models, { name: 'gpus', state: 'off', detail: 'models.local is not configured' }];
  const [local, gpus] = await Promise.all([listLocalModels(db), gpuPart(db)]);
  return [models, gpus, ...local.map(localPart)];
}

async function gpuPart(db: Queryable): Promise<PartHealth> {
  const { gpus, problem } = await listGpus(db);
  const usable = gpus.filter(({ state }) => state !== 'lost');
  const odd = gpus
    .filter(({ state }) => state !== 'ok')
    .map(({ index, state, detail }) => `GPU ${index} ${state}: ${detail}`);
  if (usable.length === 0)
    return { name: 'gpus', state: 'down', detail: [problem ?? 'none can be used', ...odd].join('; ') };
  const taken = usable.every(({ usedMib }) => usedMib === null)
    ? ''
    : `, ${gib(sum(usable.map(({ usedMib }) => usedMib ?? 0)))} of ${gib(sum(usable.map(({ totalMib }) => totalMib)))} GiB taken`;
  const names = [...Map.groupBy(usable, ({ name }) => name)].map(([name, all]) => `${all.length} × ${name}`);
  const detail = [`${names.join(', ')}${taken}`, ...odd, ...(problem === null ? [] : [problem])].join('; ');
  return { name: 'gpus', state: odd.length > 0 || problem !== null ? 'degraded' : 'ok', detail };
}

/** One model in a line. That the weights of one that nobody needs are missing is no trouble: the catalogue offers more than most have. */
export function localPart(model: LocalModelStatus): PartHealth {
  const name = `local/${model.name}`;
  if (model.state === 'unloaded' && model.weights === 'missing' && model.load === 'on-demand')
    return { name, state: 'off', detail: 'no weights: `autocode model import` brings them' };
  const trouble = [model.problem, model.remedy].filter((text) => text !== null).join(' ');
  if (model.state === 'failed') return { name, state: 'down', detail: `failed: ${trouble}` };
  const where = model.gpus.length === 0 ? '' : ` on GPU ${model.gpus.join(', ')}`;
  const detail = [`${model.state}${where}`, ...figures(model), ...(trouble === '' ? [] : [trouble])].join(
    ', ',
  );
  if (trouble !== '') return { name, state: 'degraded', detail };
  return { name, state: model.state === 'unloaded' ? 'off' : 'ok', detail };
}

function figures({ figures: now, inFlight, waiting }: LocalModelStatus): string[] {
  const told: [value: number | null | undefined, words: (value: number) => string][] = [
    [now?.tokensPerSecond, (value) => `${value.toFixed(1)} tokens/s`],
    [now?.firstTokenMs, (value) => `first token ${Math.round(value)} ms`],
    [now?.kvUsage, (value) => `KV cache ${perCent(value)}`],
    [now?.prefixHits, (value) => `prefix hits ${perCent(value)}`],
    [inFlight || null, (value) => `${value} in flight`],
    [waiting || null, (value) => `${value} waiting`],
  ];
  return told.flatMap(([value, words]) => (value === null || value === undefined ? [] : [words(value)]));
}

function perCent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function gib(mib: number): string {
  return (mib / 1024).toFixed(1);
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
