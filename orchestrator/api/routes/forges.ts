// /forges: those that are known here, and their repositories. Tokens go in, never out.
import { z } from 'zod';
import { Forge, ForgeInput, ImportableRepository } from '../../../protocol/forge.ts';
import { Name } from '../../../protocol/ids.ts';
import type { Routes } from '../server.ts';

const tags = ['forges'];

export const forgeRoutes: Routes = (app, { repositories }) => {
  app.get(
    '/forges',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'List forges', response: { 200: z.array(Forge) } },
    },
    async () => await repositories.forges.known(),
  );
  app.post(
    '/forges',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Register a forge, or give one that is known another token',
        body: ForgeInput,
        response: { 201: Forge },
      },
    },
    async (request, reply) => reply.code(201).send(await repositories.forges.register(request.body)),
  );
  app.get(
    '/forges/:forge/repositories',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'List repositories that can become projects: those that the credential can push to',
        params: z.object({ forge: Name }),
        querystring: z.object({ owner: z.string().min(1).max(255).optional() }),
        response: { 200: z.array(ImportableRepository) },
      },
    },
    async (request) => await repositories.importable(request.params.forge, request.query),
  );
};
