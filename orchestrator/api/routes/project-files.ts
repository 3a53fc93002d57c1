// What repositories say of themselves in `.autocode.yaml`, and which setting of a project holds.
import { z } from 'zod';
import { HOST_ENVIRONMENT } from '../../../protocol/environment.ts';
import { Name } from '../../../protocol/ids.ts';
import { FileReading, ProjectSettings } from '../../../protocol/project-file.ts';
import { mappedEnvironment } from '../../environments/of-run.ts';
import { effectiveSettings } from '../../repos/project-file/effective.ts';
import { parseProjectFile } from '../../repos/project-file/parse.ts';
import { knownFile } from '../../tasks/known-file.ts';
import { getProject } from '../../tasks/projects.ts';
import type { Routes } from '../server.ts';

const tags = ['projects'];
const Params = z.object({ project: Name });

export const projectFileRoutes: Routes = (app, { db, config, models, repositories }) => {
  app.get(
    '/projects/:project/settings',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Which settings new tasks have, and where each comes from',
        params: Params,
        response: { 200: ProjectSettings },
      },
    },
    async (request) => {
      const project = await getProject(db, request.params.project);
      const { file, explicit } = await knownFile(db, project.id);
      const { runDeadlineMinutes: deadlineMinutes, maxIterations, verifyTimeoutMinutes } = config.limits;
      const settings = effectiveSettings(project, explicit, file?.content ?? null, {
        agent: config.agents.default,
        model: models().find((model) => model.isDefault)?.name ?? null,
        environment:
          mappedEnvironment(config.environments.map, project.repositories[0]!.origin) ?? HOST_ENVIRONMENT,
        limits: { deadlineMinutes, maxIterations, verifyTimeoutMinutes },
      });
      return { project: project.name, file, settings };
    },
  );
  app.get(
    '/projects/:project/file',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Read .autocode.yaml at the repository as it is now',
        params: Params,
        querystring: z.object({ branch: z.string().min(1).max(255).optional() }),
        response: { 200: FileReading },
      },
    },
    async (request) => await repositories.projectFile(request.params.project, request.query.branch),
  );
  app.post(
    '/project-files/check',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Say what is wrong with the text of an .autocode.yaml',
        body: z.strictObject({ text: z.string() }),
        response: { 200: FileReading },
      },
    },
    async (request) => ({ commit: null, ...parseProjectFile(Buffer.from(request.body.text)) }),
  );
};
