// /changes: branches and their pull requests.
import { z } from 'zod';
import {
  Change,
  ChangeClose,
  ChangeResolve,
  ChangeState,
  Mergeable,
  ReviewState,
} from '../../../protocol/change.ts';
import { Name } from '../../../protocol/ids.ts';
import { getChange, listChanges } from '../../repos/changes.ts';
import { actorOf } from '../authentication.ts';
import { Id, Limit } from '../parameters.ts';
import { projectsOf } from '../project-scope.ts';
import type { Routes } from '../server.ts';
import { DiffQuery } from './runs.ts';

const Params = z.object({ change: Id });
const tags = ['changes'];

export const changeRoutes: Routes = (app, { db, repositories }) => {
  app.get(
    '/changes',
    {
      config: { access: 'viewer', limited: 'filtered' },
      schema: {
        tags,
        summary: 'List changes, newest first',
        querystring: z.object({
          state: ChangeState.optional(),
          review: ReviewState.optional(),
          mergeable: Mergeable.optional(),
          project: Name.optional(),
          limit: Limit,
        }),
        response: { 200: z.array(Change) },
      },
    },
    async (request) => await listChanges(db, { ...request.query, projects: projectsOf(request) }),
  );
  app.get(
    '/changes/:change',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Show a change, its state as the forge has it now',
        params: Params,
        response: { 200: Change },
      },
    },
    async (request) => {
      await repositories.refreshChange(request.params.change);
      return await getChange(db, request.params.change);
    },
  );
  app.get(
    '/changes/:change/diff',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The difference to its base',
        params: Params,
        querystring: DiffQuery,
        response: { 200: z.string() },
        produces: ['text/plain'],
      },
    },
    async (request, reply) => {
      const text = await repositories.changeDiff(
        await getChange(db, request.params.change),
        request.query.format,
      );
      return reply.type('text/plain; charset=utf-8').serializer(String).send(text);
    },
  );
  app.post(
    '/changes/:change/merge',
    {
      config: { access: 'operator' },
      schema: { tags, summary: 'Merge into the base branch', params: Params, response: { 200: Change } },
    },
    async (request) => await repositories.mergeChange(request.params.change),
  );
  app.post(
    '/changes/:change/close',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Close without merging; the branch stays',
        params: Params,
        body: ChangeClose.nullish(),
        response: { 200: Change },
      },
    },
    async (request) => await repositories.closeChange(request.params.change, request.body?.comment),
  );
  app.post(
    '/changes/:change/resolve',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Have its agent resolve a conflict: its task is opened again',
        params: Params,
        body: ChangeResolve.nullish(),
        response: { 200: Change },
      },
    },
    async (request) =>
      await repositories.resolveConflict(request.params.change, {
        author: actorOf(request),
        words: request.body?.message,
      }),
  );
};
