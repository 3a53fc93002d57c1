// `autocode model list`.
import { z } from 'zod';
import { LocalModelStatus } from '../../protocol/local-model.ts';
import { Model } from '../../protocol/model.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { relativeTime } from './format.ts';
import { errorOf } from './local-models.ts';
import { table } from './output.ts';
import { show } from './redraw.ts';
import { styleOf } from './states.ts';

/** A model of the gateway; of those on the own GPUs, how they are. */
type Listed = Model & { local?: LocalModelStatus };

/** What a narrow terminal does without; `model show` and --json have it. */
const spare = true;

/** Lists the models of the gateway with their prices, and those on the own GPUs with what runs. */
export async function listModels(args: GlobalArgs & { watch?: boolean }): Promise<void> {
  const client = connect(args);
  const read = async (): Promise<Listed[]> => {
    const [models, locals] = await Promise.all([
      client.get('/models', z.array(Model)),
      client.get('/local-models', z.array(LocalModelStatus)),
    ]);
    const byName = new Map(locals.map((local) => [`local/${local.name}`, local]));
    return models.map((model) => {
      const local = byName.get(model.name);
      return local === undefined ? model : { ...model, local };
    });
  };
  await show(args, read, drawModels);
}

function drawModels(models: Listed[]): string {
  if (models.length === 0) return 'No models. See models.engines in `autocode config reference`.';
  const locals = models.flatMap(({ local }) => local ?? []);
  return locals.length === 0 ? drawOffered(models) : `${drawOffered(models)}\n\n${drawLocal(locals)}`;
}

function drawLocal(models: LocalModelStatus[]): string {
  const mib = (value: number | null) => (value === null ? '' : String(value));
  return table(models, [
    { title: 'ON OWN GPUS', value: ({ name }) => name },
    { title: 'STATE', value: ({ state }) => state, style: ({ state }) => styleOf(state) },
    { title: 'GPUS', value: ({ gpus }) => gpus.join(', ') },
    { title: 'REQUESTS', value: ({ inFlight, waiting }) => `${inFlight} + ${waiting}`, align: 'right' },
    { title: 'USED', value: ({ usedAt }) => relativeTime(usedAt), spare },
    { title: 'MIB PREDICTED', value: ({ predictedMib }) => mib(predictedMib), align: 'right', spare },
    { title: 'LOAD', value: ({ load }) => load, spare },
    { title: 'ENGINE', value: ({ reportedMib }) => mib(reportedMib), align: 'right', spare },
    { title: 'NVIDIA-SMI', value: (model) => mib(model.measuredMib) + errorOf(model), align: 'right', spare },
    { title: 'PROBLEM', value: ({ problem }) => problem ?? '' },
  ]);
}

function drawOffered(models: Model[]): string {
  return table(models, [
    { title: 'MODEL', value: (model) => model.name },
    { title: 'DEFAULT', value: (model) => (model.isDefault ? 'yes' : '') },
    { title: 'ROLES', value: (model) => model.roles.join(', ') },
    { title: 'KIND', value: (model) => model.kind, spare },
    { title: 'PROTOCOLS', value: (model) => model.protocols.join(', '), spare },
    { title: 'IN/M', value: ({ price }) => String(price.input), align: 'right' },
    { title: 'CACHED/M', value: ({ price }) => String(price.cached), align: 'right' },
    { title: 'OUT/M', value: ({ price }) => String(price.output), align: 'right' },
    { title: 'PRICE', value: (model) => model.priceSource },
  ]);
}
