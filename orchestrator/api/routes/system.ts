// /health, /status, /models: how the appliance is, and what it offers.
import { z } from 'zod';
import { Model } from '../../../protocol/model.ts';
import { Status } from '../../../protocol/status.ts';
import { PROTOCOL_VERSION } from '../../../protocol/version.ts';
import type { Routes } from '../server.ts';

const tags = ['system'];

export const systemRoutes: Routes = (app, { models, status }) => {
  app.get(
    '/health',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Whether the daemon serves',
        security: [],
        response: { 200: z.object({ ok: z.literal(true), protocol: z.number().int() }) },
      },
    },
    () => ({ ok: true as const, protocol: PROTOCOL_VERSION }),
  );
  app.get(
    '/status',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Parts, queue, workers, disk and memory', response: { 200: Status } },
    },
    async () => await status(),
  );
  app.get(
    '/models',
    {
      config: { access: 'viewer', limited: 'open' },
      schema: { tags, summary: 'Models that the gateway offers', response: { 200: z.array(Model) } },
    },
    () => models(),
  );
};
