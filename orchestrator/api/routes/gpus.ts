// /gpus: the GPUs that the appliance's own models run on, as seen last.
import { GpuList } from '../../../protocol/local-model.ts';
import { listGpus } from '../../models/gpu/store.ts';
import type { Routes } from '../server.ts';

const NONE: GpuList = {
  gpus: [],
  problem: 'This appliance runs no models itself: models.local is not configured.',
};

export const gpuRoutes: Routes = (app, { db, config }) => {
  app.get(
    '/gpus',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['models'],
        summary: 'GPUs: memory, strangers on them, heat, errors, and whether they are used',
        response: { 200: GpuList },
      },
    },
    async () => (config.models.local === undefined ? NONE : await listGpus(db)),
  );
};
