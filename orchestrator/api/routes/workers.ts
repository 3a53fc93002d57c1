// /workers: registration and claims of worker processes.
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import { ClaimInput, Worker, WorkerAnswer, WorkerInput, WorkOrder } from '../../../protocol/worker.ts';
import { runNeeds } from '../../config/placement-settings.ts';
import { neededKeys } from '../../models/needed-keys.ts';
import { claimRun } from '../../tasks/claim.ts';
import { drainWorker } from '../../workers/drain-worker.ts';
import { registerWorker } from '../../workers/registry.ts';
import { getWorker, listWorkers } from '../../workers/worker-list.ts';
import { actorOf } from '../authentication.ts';
import { untilNotified } from '../long-poll.ts';
import type { Routes } from '../server.ts';

const Params = z.object({ worker: Name });

export const workerRoutes: Routes = (app, context) => {
  const { db, config, catalogue, runTokens, gatewayUrl, egress, tls } = context;
  const needs = runNeeds(config.placement);
  app.get(
    '/workers',
    {
      config: { access: 'viewer' },
      schema: { tags: ['workers'], summary: 'List workers', response: { 200: z.array(Worker) } },
    },
    async () => await listWorkers(db, needs),
  );
  app.get(
    '/workers/:worker',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['workers'],
        summary: 'Show a worker, and what each of its runs uses',
        params: Params,
        response: { 200: Worker },
      },
    },
    async (request) => await getWorker(db, request.params.worker, needs),
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
    async (request) => await registerWorker(db, request.params.worker, request.body, request.ip),
  );
  for (const [method, draining] of [
    ['PUT', true],
    ['DELETE', false],
  ] as const) {
    app.route({
      method,
      url: '/workers/:worker/drain',
      config: { access: 'admin' },
      schema: {
        tags: ['workers'],
        summary: draining ? 'Let it take no runs; it finishes those it has' : 'Let it take runs again',
        params: Params,
        response: { 200: Worker },
      },
      handler: async (request) => {
        const { worker } = request.params;
        await drainWorker(db, worker, draining, actorOf(request));
        return await getWorker(db, worker, needs);
      },
    });
  }
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
        gatewayUrl: tls?.gatewayUrl(request.raw) ?? gatewayUrl(),
        tokens: runTokens,
        egress,
        books: { timeZone: config.budget.timeZone, currency: config.currency },
        needs,
        scheduling: config.scheduling,
        engineKeys: (model: string) => neededKeys(catalogue, model),
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
