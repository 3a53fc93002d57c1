// /workers: registration and claims of worker processes.
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import { ClaimInput, Worker, WorkerAnswer, WorkerInput, WorkOrder } from '../../../protocol/worker.ts';
import { runNeeds } from '../../config/placement-settings.ts';
import { claimRun } from '../../tasks/claim.ts';
import { listWorkers, registerWorker } from '../../workers/registry.ts';
import { untilNotified } from '../long-poll.ts';
import type { Routes } from '../server.ts';

const Params = z.object({ worker: Name });

export const workerRoutes: Routes = (app, context) => {
  const { db, config, runTokens, gatewayUrl } = context;
  const needs = runNeeds(config.placement);
  app.get(
    '/workers',
    {
      config: { access: 'viewer' },
      schema: { tags: ['workers'], summary: 'List workers', response: { 200: z.array(Worker) } },
    },
    async () => await listWorkers(db),
  );
  app.put(
    '/workers/:worker',
    {
      config: { access: 'worker' },
      schema: {
        tags: ['workers'],
        summary: 'Register, or say again what is there',
        params: Params,
        body: WorkerInput,
        response: { 200: WorkerAnswer },
      },
    },
    async (request) => await registerWorker(db, request.params.worker, request.body),
  );
  app.post(
    '/workers/:worker/claim',
    {
      config: { access: 'worker' },
      schema: {
        tags: ['workers'],
        summary: 'Wait for a run',
        description: 'A repeated claim id gets the same run. 204 when none came in time.',
        params: Params,
        body: ClaimInput,
        response: { 200: WorkOrder, 204: z.null() },
      },
    },
    async (request, reply) => {
      const claim = { worker: request.params.worker, claimId: request.body.claimId };
      const settings = {
        lease: config.lease,
        limits: config.limits,
        gatewayUrl: gatewayUrl(),
        tokens: runTokens,
        books: { timeZone: config.budget.timeZone, currency: config.currency },
        needs,
      };
      const order = await untilNotified(
        context,
        { channel: 'queue', seconds: request.body.waitSeconds, closed: request.raw },
        async () => await claimRun(db, claim, settings),
        (found) => found !== null,
      );
      return order === null ? reply.code(204).send(null) : order;
    },
  );
};
