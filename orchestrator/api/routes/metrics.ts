// /metrics: models, GPUs, work and money for Prometheus.
import { z } from 'zod';
import { exposition, EXPOSITION_TYPE } from '../metrics/exposition.ts';
import { modelMetrics } from '../metrics/models.ts';
import { workMetrics } from '../metrics/work.ts';
import type { Routes } from '../server.ts';

export const metricRoutes: Routes = (app, { db, config }) => {
  app.get(
    '/metrics',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['system'],
        summary: 'Metrics for Prometheus',
        description: 'In its text format, version 0.0.4. The tables are read anew for each request.',
        response: { 200: { content: { 'text/plain': { schema: z.string() } } } },
      },
    },
    async (_, reply) => {
      const { budget, currency, models } = config;
      const work = await workMetrics(db, { timeZone: budget.timeZone, currency });
      const own = models.local === undefined ? [] : await modelMetrics(db);
      return await reply.type(EXPOSITION_TYPE).send(exposition([...work, ...own]));
    },
  );
};
