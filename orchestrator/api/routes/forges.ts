// /forges: those that are known here, and their repositories. Tokens go in, never out.
import { z } from 'zod';
import { Forge, ForgeInput, ForgeUse, ImportableRepository } from '../../../protocol/forge.ts';
import { Name } from '../../../protocol/ids.ts';
import type { Routes } from '../server.ts';

const tags = ['forges'];
const ByForge = z.object({ forge: Name });

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
    '/forges/:forge',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Show a forge, with what would miss it',
        params: ByForge,
        response: { 200: ForgeUse },
      },
    },
    async (request) => await repositories.forges.use(request.params.forge),
  );
  app.delete(
    '/forges/:forge',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Remove a forge that was registered, with its secrets; refused while something uses it',
        params: ByForge,
        response: { 200: ForgeUse },
      },
    },
    async (request) => await repositories.forges.remove(request.params.forge),
  );
  app.get(
    '/forges/:forge/repositories',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'List repositories that can become projects: those that the credential can push to',
        params: ByForge,
        querystring: z.object({ owner: z.string().min(1).max(255).optional() }),
        response: { 200: z.array(ImportableRepository) },
      },
    },
    async (request) => await repositories.importable(request.params.forge, request.query),
  );
};
