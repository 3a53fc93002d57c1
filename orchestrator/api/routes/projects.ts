// /projects: what Autocode works on, /project-figures how much of it there is, /repository-looks what an address would make.
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import {
  Project,
  ProjectFigures,
  ProjectInput,
  ProjectPatch,
  RepositoryInput,
} from '../../../protocol/project.ts';
import { RepositoryLook, RepositoryLookInput } from '../../../protocol/repository-look.ts';
import { projectFigures } from '../../tasks/project-figures.ts';
import { archiveProject, getProject, listProjects } from '../../tasks/projects.ts';
import { removeRepository } from '../../tasks/repositories.ts';
import { projectsOf } from '../project-scope.ts';
import type { Routes } from '../server.ts';

const Params = z.object({ project: Name });

export const projectRoutes: Routes = (app, { db, repositories }) => {
  app.get(
    '/projects',
    {
      config: { access: 'viewer', limited: 'filtered' },
      schema: { tags: ['projects'], summary: 'List projects', response: { 200: z.array(Project) } },
    },
    async (request) => await listProjects(db, projectsOf(request)),
  );
  app.post(
    '/projects',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['projects'],
        summary: 'Register a repository as a project',
        body: ProjectInput,
        response: { 201: Project },
      },
    },
    async (request, reply) => reply.code(201).send(await repositories.create(request.body)),
  );
  app.get(
    '/project-figures',
    {
      config: { access: 'viewer', limited: 'filtered' },
      schema: {
        tags: ['projects'],
        summary: 'How much there is to do in each project',
        response: { 200: z.array(ProjectFigures) },
      },
    },
    async (request) => await projectFigures(db, projectsOf(request)),
  );
  app.post(
    '/repository-looks',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['projects'],
        summary: 'Look at a repository before a project is made of it; nothing is kept',
        body: RepositoryLookInput,
        response: { 200: RepositoryLook },
      },
    },
    async (request) => await repositories.look(request.body),
  );
  app.get(
    '/projects/:project',
    {
      config: { access: 'viewer' },
      schema: { tags: ['projects'], summary: 'Show a project', params: Params, response: { 200: Project } },
    },
    async (request) => await getProject(db, request.params.project),
  );
  app.patch(
    '/projects/:project',
    {
      config: { access: 'operator', limited: 'closed' },
      schema: {
        tags: ['projects'],
        summary: 'Change a project',
        params: Params,
        body: ProjectPatch,
        response: { 200: Project },
      },
    },
    async (request) => await repositories.update(request.params.project, request.body),
  );
  app.delete(
    '/projects/:project',
    {
      config: { access: 'operator', limited: 'closed' },
      schema: {
        tags: ['projects'],
        summary: 'Archive a project',
        params: Params,
        response: { 200: Project },
      },
    },
    async (request) => await archiveProject(db, request.params.project),
  );
  app.post(
    '/projects/:project/repositories',
    {
      config: { access: 'operator', limited: 'closed' },
      schema: {
        tags: ['projects'],
        summary: 'Add a repository to a project; tasks given from then on work in it too',
        params: Params,
        body: RepositoryInput,
        response: { 201: Project },
      },
    },
    async (request, reply) =>
      reply.code(201).send(await repositories.add(request.params.project, request.body)),
  );
  app.delete(
    '/projects/:project/repositories/:repository',
    {
      config: { access: 'operator', limited: 'closed' },
      schema: {
        tags: ['projects'],
        summary: 'Take a repository out of a project',
        params: Params.extend({ repository: Name }),
        response: { 200: Project },
      },
    },
    async (request) => await removeRepository(db, request.params.project, request.params.repository),
  );
};
