// /runs: what became of a task's attempts, as people read it. What runners send is in runner.ts.
import { z } from 'zod';
import { Name, RunId } from '../../../protocol/ids.ts';
import { ModelCall } from '../../../protocol/model.ts';
import { Run, RunState } from '../../../protocol/run.ts';
import { listCalls } from '../../gateway/calls.ts';
import { getRun, listRuns } from '../../tasks/queries.ts';
import { Id, Limit } from '../parameters.ts';
import type { Routes } from '../server.ts';

const Params = z.object({ run: RunId });
export const DiffQuery = z.object({ format: z.enum(['patch', 'stat', 'names']).default('patch') });

export const runRoutes: Routes = (app, { db, repositories }) => {
  app.get(
    '/runs',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['runs'],
        summary: 'List runs, newest first',
        querystring: z.object({
          task: Id.optional(),
          state: RunState.optional(),
          worker: Name.optional(),
          limit: Limit,
        }),
        response: { 200: z.array(Run) },
      },
    },
    async (request) => await listRuns(db, request.query),
  );
  app.get(
    '/runs/:run',
    {
      config: { access: 'viewer' },
      schema: { tags: ['runs'], summary: 'Show a run', params: Params, response: { 200: Run } },
    },
    async (request) => await getRun(db, request.params.run),
  );
  app.get(
    '/runs/:run/diff',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['runs'],
        summary: 'What the run changed',
        params: Params,
        querystring: DiffQuery,
        response: { 200: z.string() },
        produces: ['text/plain'],
      },
    },
    async (request, reply) => {
      const text = await repositories.runDiff(await getRun(db, request.params.run), request.query.format);
      return reply.type('text/plain; charset=utf-8').serializer(String).send(text);
    },
  );
  app.get(
    '/runs/:run/calls',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['runs'],
        summary: 'Model calls of the run, oldest first',
        params: Params,
        response: { 200: z.array(ModelCall) },
      },
    },
    async (request) => {
      await getRun(db, request.params.run);
      return await listCalls(db, request.params.run);
    },
  );
};
