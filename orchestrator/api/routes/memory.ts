// What runs leave about a repository for later ones, notes and caches: what runners read and send, what people see and clear.
import { z } from 'zod';
import {
  DependencyCache,
  RunDependencies,
  RunDependenciesUpdate,
} from '../../../protocol/dependency-cache.ts';
import { Name, RunId } from '../../../protocol/ids.ts';
import {
  Memory,
  MemoryVersion,
  RunMemory,
  RunMemoryAnswer,
  RunMemoryUpdate,
} from '../../../protocol/memory.ts';
import {
  clearDependencyCaches,
  dependenciesOfRun,
  keepDependencies,
  listDependencyCaches,
} from '../../memory/dependency-caches.ts';
import { clearMemory, listMemory, readMemory } from '../../memory/project-memory.ts';
import { keepMemory, memoryOfRun } from '../../memory/run-memory.ts';
import { actorOf } from '../authentication.ts';
import { Id } from '../parameters.ts';
import type { Routes } from '../server.ts';

const tags = ['memory'];
const OfRun = z.object({ run: RunId });
const OfProject = z.object({ project: Name });
const Which = z.object({
  repository: Name.optional().meta({
    description: 'Name of one repository; all of the project when left out.',
  }),
});

export const memoryRoutes: Routes = (app, { db }) => {
  app.get(
    '/runs/:run/memory',
    {
      config: { access: 'run' },
      schema: {
        tags,
        summary: 'The notes of earlier runs about the repositories of the run',
        params: OfRun,
        response: { 200: RunMemory },
      },
    },
    async (request) => await memoryOfRun(db, request.params.run),
  );
  app.put(
    '/runs/:run/memory',
    {
      config: { access: 'run' },
      schema: {
        tags,
        summary: 'Leave notes about a repository; they count once the run has succeeded',
        params: OfRun,
        body: RunMemoryUpdate,
        response: { 200: RunMemoryAnswer },
      },
    },
    async (request) => ({ version: await keepMemory(db, request.params.run, request.body) }),
  );
  app.get(
    '/projects/:project/memory',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The notes as the next run is given them, or those of one version',
        params: OfProject,
        querystring: Which.extend({ version: Id.optional() }),
        response: { 200: z.array(Memory) },
      },
    },
    async (request) => await readMemory(db, request.params.project, request.query),
  );
  app.get(
    '/projects/:project/memory/versions',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Versions of the notes, newest first',
        params: OfProject,
        querystring: Which,
        response: { 200: z.array(MemoryVersion) },
      },
    },
    async (request) => await listMemory(db, request.params.project, request.query.repository),
  );
  app.delete(
    '/projects/:project/memory',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Forget the notes with all their versions',
        params: OfProject,
        querystring: Which,
        response: { 200: z.object({ cleared: z.array(z.string()) }) },
      },
    },
    async (request) => ({
      cleared: await clearMemory(db, request.params.project, actorOf(request), request.query.repository),
    }),
  );
  app.get(
    '/runs/:run/dependencies',
    {
      config: { access: 'run' },
      schema: {
        tags,
        summary: 'Versions of the caches of dependencies that the run may use',
        params: OfRun,
        response: { 200: RunDependencies },
      },
    },
    async (request) => await dependenciesOfRun(db, request.params.run),
  );
  app.put(
    '/runs/:run/dependencies',
    {
      config: { access: 'run' },
      schema: {
        tags,
        summary: 'Tell of a version of the caches; it counts once the run has succeeded',
        params: OfRun,
        body: RunDependenciesUpdate,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await keepDependencies(db, request.params.run, request.body);
      return await reply.code(204).send(null);
    },
  );
  app.get(
    '/projects/:project/dependencies',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The caches of dependencies, by repository and worker',
        params: OfProject,
        querystring: Which,
        response: { 200: z.array(DependencyCache) },
      },
    },
    async (request) => await listDependencyCaches(db, request.params.project, request.query.repository),
  );
  app.delete(
    '/projects/:project/dependencies',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Let no run use the caches of dependencies that there are',
        params: OfProject,
        querystring: Which,
        response: { 200: z.object({ cleared: z.array(z.string()) }) },
      },
    },
    async (request) => ({
      cleared: await clearDependencyCaches(db, request.params.project, request.query.repository),
    }),
  );
};
