// /model-roles: which models agents get by what they ask for as `autocode/<role>`. /model-tests: whether a model does what
// an agent needs.
import { z } from 'zod';
import { ModelRole, ModelTest, SetModelRole, StartModelTest } from '../../../protocol/local-model.ts';
import { testAgent } from '../../models/conformance/agents.ts';
import { modelTests } from '../../models/conformance/model-tests.ts';
import { listTests } from '../../models/conformance/results.ts';
import { clearRole, setRole } from '../../models/roles.ts';
import { actorOf } from '../authentication.ts';
import type { Routes } from '../server.ts';

const tags = ['models'];
const params = z.object({ role: ModelRole.shape.role });

export const modelRoleRoutes: Routes = (app, context) => {
  const { db, catalogue, roleBook, config, gatewayUrl, stopping, log } = context;
  const warn = (message: string, fields?: object) => log.warn(message, fields);
  const tests = modelTests({ db, catalogue, gatewayUrl, stopping, warn });
  const parts = { db, catalogue, book: roleBook };

  app.get(
    '/model-roles',
    {
      config: { access: 'viewer', limited: 'open' },
      schema: { tags, summary: 'Which models have which role', response: { 200: z.array(ModelRole) } },
    },
    () => catalogue.roles(),
  );
  app.put(
    '/model-roles/:role',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Give a role to models, ahead of the configuration',
        params,
        body: SetModelRole,
        response: { 200: ModelRole },
      },
    },
    async (request) => await setRole(parts, request.params.role, request.body, actorOf(request)),
  );
  app.delete(
    '/model-roles/:role',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Give a role back to the models of the configuration',
        params,
        response: { 200: ModelRole },
      },
    },
    async (request) => await clearRole(parts, request.params.role),
  );
  app.get(
    '/model-tests',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Tests of models, the newest first; one that goes on has the checks that are over',
        querystring: z.object({
          model: z.string().max(200).optional(),
          limit: z.coerce.number().int().min(1).max(200).default(20),
        }),
        response: { 200: z.array(ModelTest) },
      },
    },
    async (request) => await listTests(db, request.query),
  );
  app.post(
    '/model-tests',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Begin to test a model; followed by GET /model-tests',
        body: StartModelTest,
        response: { 202: ModelTest },
      },
    },
    async (request, reply) => {
      const { model, agent = testAgent(config.agents.default) } = request.body;
      return reply.code(202).send(await tests.start({ model, agent }));
    },
  );
};
