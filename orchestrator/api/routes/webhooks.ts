// /webhooks: what forges tell. Public; every delivery is signed over its raw bytes.
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import type { Routes } from '../server.ts';

const BODY_MAX_BYTES = 1024 * 1024;

const Headers = z.object({
  'x-gitea-delivery': z.string().min(1).max(200),
  'x-gitea-event': z.string().min(1).max(200),
  'x-gitea-signature': z.string().max(200).default(''),
});

export const webhookRoutes: Routes = (app, { repositories }) => {
  app.register(async (hooks) => {
    hooks.removeAllContentTypeParsers();
    hooks.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: BODY_MAX_BYTES },
      (_request, body, done) => done(null, body),
    );
    hooks.route({
      method: 'POST',
      url: '/webhooks/gitea/:forge',
      config: { access: 'public' },
      bodyLimit: BODY_MAX_BYTES,
      schema: {
        tags: ['webhooks'],
        summary: 'A delivery of a Gitea or Forgejo webhook',
        params: z.object({ forge: Name }),
        headers: Headers,
        response: { 204: z.null() },
      },
      handler: async (request, reply) => {
        const { forge } = request.params as { forge: string };
        const headers = request.headers as z.infer<typeof Headers>;
        await repositories.receiveHook({
          forge,
          id: headers['x-gitea-delivery'],
          event: headers['x-gitea-event'],
          signature: headers['x-gitea-signature'],
          body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
        });
        return reply.code(204).send();
      },
    });
  });
};
