// /runs: what became of a task's attempts, as people read it. What runners send is in runner.ts.
import { z } from 'zod';
import { RunBudget } from '../../../protocol/budget.ts';
import { Name, RunId } from '../../../protocol/ids.ts';
import { ModelCall } from '../../../protocol/model.ts';
import { Run, RunState } from '../../../protocol/run.ts';
import { runBudget } from '../../budget/run-budget.ts';
import { listCalls } from '../../gateway/calls.ts';
import { ReplayInput, Task } from '../../../protocol/task.ts';
import { getRun, listRuns } from '../../tasks/queries.ts';
import { replayRun } from '../../tasks/replay.ts';
import { Id, Limit } from '../parameters.ts';
import { projectsOf } from '../project-scope.ts';
import type { Routes } from '../server.ts';
import { taskDefaults } from '../task-defaults.ts';

const Params = z.object({ run: RunId });
export const DiffQuery = z.object({ format: z.enum(['patch', 'stat', 'names']).default('patch') });

export const runRoutes: Routes = (app, context) => {
  const { db, config, repositories } = context;
  const books = { timeZone: config.budget.timeZone, currency: config.currency };
  app.get(
    '/runs',
    {
      config: { access: 'viewer', limited: 'filtered' },
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
    async (request) => await listRuns(db, { ...request.query, projects: projectsOf(request) }),
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
        querystring: DiffQuery.extend({
          against: RunId.optional().meta({
            description: 'Another run: the difference from its result to that of this run.',
          }),
        }),
        response: { 200: z.string() },
        produces: ['text/plain'],
      },
    },
    async (request, reply) => {
      const { format, against } = request.query;
      const other = against === undefined ? undefined : await getRun(db, against);
      const text = await repositories.runDiff(await getRun(db, request.params.run), format, other);
      return reply.type('text/plain; charset=utf-8').serializer(String).send(text);
    },
  );
  app.post(
    '/runs/:run/replay',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['runs'],
        summary: 'Do a run again, from the same commits and with the same words, to be compared with it',
        params: Params,
        body: ReplayInput,
        response: { 201: Task },
      },
    },
    async (request, reply) => {
      const defaults = taskDefaults(request, context);
      return reply.code(201).send(await replayRun(db, request.params.run, request.body, defaults));
    },
  );
  app.get(
    '/runs/:run/budget',
    {
      config: { access: 'viewer or run' },
      schema: {
        tags: ['runs'],
        summary: 'What the run has spent, what its budgets leave to it, and whether it may go on',
        params: Params,
        response: { 200: RunBudget },
      },
    },
    async (request) => await runBudget(db, request.params.run, books),
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
