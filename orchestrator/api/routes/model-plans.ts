// /model-plans: whether models fit on GPUs, before anything is started.
import { join } from 'node:path';
import { ModelPlan, PlanRequest } from '../../../protocol/local-model.ts';
import { SHIPPED_CATALOGUE } from '../../models/local-catalogue.ts';
import type { Routes } from '../server.ts';

export const modelPlanRoutes: Routes = (app, { db, config }) => {
  const { local } = config.models;
  const parts = {
    db,
    catalogue: local?.catalogue ?? SHIPPED_CATALOGUE,
    weights: local?.weights ?? join(config.dataDir, 'model-weights'),
    local,
    nvidiaSmi: 'nvidia-smi',
  };
  app.post(
    '/model-plans',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['models'],
        summary: 'Say whether models fit on the GPUs, with how many tokens, and if not why and what would',
        body: PlanRequest,
        response: { 200: ModelPlan },
      },
    },
    async (request) => {
      const { askPlan } = await import('../../models/vram/ask.ts'); // loaded with the first question
      return await askPlan(parts, request.body);
    },
  );
};
