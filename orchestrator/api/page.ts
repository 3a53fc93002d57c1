// The web page: files that ./scripts/web has built, from the API's own port. They hold no data, so anybody may have them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';

const BUILT = join(import.meta.dirname, '../../web/dist');
/** Files at addresses that do not change with what is in them. */
const FIXED = new Set(['icon.svg', 'push-worker.js']);

/** Everything comes from here, and nothing is run or drawn that is written into the page itself. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
};

const HINT = `<!doctype html><meta charset="utf-8"><title>Autocode</title>
<p>The web page is not built. <code>./scripts/web build</code> in the checkout builds it; the daemon need not be started anew.
The API is at <a href="/api/openapi.json">/api/openapi.json</a>, and <code>./autocode --help</code> lists what the CLI does.</p>
`;

/** Adds the page to the API. Whatever no other route has is an address of the page, which shows what belongs there by itself. */
export async function servePage(app: FastifyInstance, directory = BUILT): Promise<void> {
  await app.register(fastifyStatic, { root: directory, serve: false, preCompressed: true });
  const config = { access: 'public', rateLimit: false } as const;
  app.get('/assets/*', { config, schema: { hide: true } }, async (request, reply) => {
    // Their names change with what is in them.
    const name = (request.params as { '*': string })['*'];
    return await reply.headers(HEADERS).sendFile(`assets/${name}`, { maxAge: '365d', immutable: true });
  });
  app.get('/*', { config, schema: { hide: true } }, async (request, reply) => {
    const path = (request.params as { '*': string })['*'];
    if (/^(api|git)(\/|$)/.test(path)) return reply.callNotFound();
    return await pageAt(path, directory, reply.headers(HEADERS));
  });
}

async function pageAt(path: string, directory: string, reply: FastifyReply): Promise<FastifyReply> {
  if (!existsSync(join(directory, 'index.html'))) {
    return await reply.code(503).header('retry-after', '10').type('text/html; charset=utf-8').send(HINT);
  }
  const name = FIXED.has(path) ? path : 'index.html';
  return await reply.sendFile(name, { maxAge: 0, cacheControl: true });
}
