// /webhooks: what forges tell. Public; every delivery is signed over its raw bytes.
import type { RouteOptions } from 'fastify';
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import type { ForgeKind } from '../../repos/forge/forge.ts';
import { KINDS } from '../../repos/forge/kinds.ts';
import type { ApiContext } from '../context.ts';
import type { Routes } from '../server.ts';

const BODY_MAX_BYTES = 1024 * 1024;
/** From one address: forges send in bursts, and do not all send again what was refused. */
const HOOKS_A_MINUTE = 30_000;

export const webhookRoutes: Routes = (app, { repositories }) => {
  app.register(async (hooks) => {
    hooks.removeAllContentTypeParsers();
    hooks.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: BODY_MAX_BYTES },
      (_request, body, done) => done(null, body),
    );
    for (const kind of KINDS) hooks.route(deliveryRoute(kind, repositories));
  });
};

function deliveryRoute(
  { name: kind, webhook }: ForgeKind,
  repositories: ApiContext['repositories'],
): RouteOptions {
  const { delivery, event, signature } = webhook.headers;
  return {
    method: 'POST',
    url: `/webhooks/${kind}/:forge`,
    config: { access: 'public', rateLimit: { max: HOOKS_A_MINUTE } },
    bodyLimit: BODY_MAX_BYTES,
    schema: {
      tags: ['webhooks'],
      summary: `A delivery of a webhook of the forge kind ${kind}`,
      params: z.object({ forge: Name }),
      headers: z.object({
        [delivery]: z.string().min(1).max(200),
        [event]: z.string().min(1).max(200),
        [signature]: z.string().max(200).default(''),
      }),
      response: { 204: z.null() },
    },
    handler: async (request, reply) => {
      const { forge } = request.params as { forge: string };
      const headers = request.headers as Record<string, string>;
      await repositories.receiveHook({
        kind,
        forge,
        id: headers[delivery] ?? '',
        event: headers[event] ?? '',
        signature: headers[signature] ?? '',
        body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      });
      return reply.code(204).send();
    },
  };
}
