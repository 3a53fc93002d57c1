// `autocode model list`.
import { z } from 'zod';
import { Model } from '../../protocol/model.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { table } from './output.ts';
import { show } from './redraw.ts';

/** Lists the models of the gateway with their prices. */
export async function listModels(args: GlobalArgs): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/models', z.array(Model)), drawModels);
}

function drawModels(models: Model[]): string {
  if (models.length === 0) return 'No models. See models.engines in `autocode config reference`.';
  return table(models, [
    { title: 'MODEL', value: (model) => model.name },
    { title: 'DEFAULT', value: (model) => (model.isDefault ? 'yes' : '') },
    { title: 'ROLES', value: (model) => model.roles.join(', ') },
    { title: 'KIND', value: (model) => model.kind },
    { title: 'PROTOCOLS', value: (model) => model.protocols.join(', ') },
    { title: 'IN/M', value: ({ price }) => String(price.input), align: 'right' },
    { title: 'CACHED/M', value: ({ price }) => String(price.cached), align: 'right' },
    { title: 'OUT/M', value: ({ price }) => String(price.output), align: 'right' },
    { title: 'PRICE', value: (model) => model.priceSource },
  ]);
}
