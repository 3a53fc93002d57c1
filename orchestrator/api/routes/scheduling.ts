// /drain: no run begins any more, before a shutdown. /tasks/{task}/explanation: why a task waits. /dead-letters: tasks that
// were given up.
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import { DeadLetter, Drain, DrainInput, Explanation } from '../../../protocol/scheduling.ts';
import { explainDispatch } from '../../placement/explain-dispatch.ts';
import { neededKeys } from '../../models/needed-keys.ts';
import { runNeeds } from '../../config/placement-settings.ts';
import { listDeadLetters } from '../../tasks/dead-letters.ts';
import { getDrain, startDrain, stopDrain } from '../../tasks/drain.ts';
import { explainTask } from '../../tasks/explain.ts';
import { actorOf } from '../authentication.ts';
import { Id, Limit } from '../parameters.ts';
import type { Routes } from '../server.ts';

const tags = ['scheduling'];

export const schedulingRoutes: Routes = (app, { db, config, catalogue, fleet }) => {
  const needs = runNeeds(config.placement);
  const dispatch = fleet === undefined ? undefined : config.placement.dispatch;
  app.get(
    '/drain',
    {
      config: { access: 'viewer', limited: 'open' },
      schema: { tags, summary: 'Whether runs begin, and which are active', response: { 200: Drain } },
    },
    async () => await getDrain(db),
  );
  app.put(
    '/drain',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Let no run begin any more; from the answer on none does',
        body: DrainInput,
        response: { 200: Drain },
      },
    },
    async (request) => await startDrain(db, request.body, config.drain, actorOf(request)),
  );
  app.delete(
    '/drain',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'Let runs begin again', response: { 200: Drain } },
    },
    async () => await stopDrain(db, config.drain.flagFile),
  );
  app.get(
    '/tasks/:task/explanation',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Why a task waits, and what would change it',
        params: z.object({ task: Id }),
        response: { 200: Explanation },
      },
    },
    async (request) =>
      await explainTask(db, request.params.task, {
        books: { timeZone: config.budget.timeZone, currency: config.currency },
        needs,
        scheduling: config.scheduling,
        engineKeys: (model: string) => neededKeys(catalogue, model),
        ...(dispatch && { dispatch: async (task: number) => await explainDispatch(db, task, dispatch.max) }),
      }),
  );
  app.get(
    '/dead-letters',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Tasks that failed and are not tried again by themselves, those that ended last first',
        querystring: z.object({ project: Name.optional(), limit: Limit, before: Id.optional() }),
        response: { 200: z.array(DeadLetter) },
      },
    },
    async (request) => await listDeadLetters(db, request.query),
  );
};
