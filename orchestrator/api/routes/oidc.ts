// /sign-in-ways, /oidc/…: signing in by an OpenID provider. These are addresses that a browser goes to: what goes wrong is told by the
// page, at `/?problem=…`.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { SignInWays, type SignInProblem } from '../../../protocol/person.ts';
import { text } from '../../../protocol/text.ts';
import type { Provider } from '../../people/provider.ts';
import { publicUrl } from '../public-url.ts';
import type { Routes } from '../server.ts';
import { cookieOf, sendCookie } from '../session-cookie.ts';
import { admit, originOf } from './sessions.ts';

const tags = ['sign-in'];
const FEW = { max: 60, timeWindow: 60_000 };
const BROWSER = 'autocode_sign_in';
const BROWSER_SECONDS = 600;

export const oidcRoutes: Routes = (app, context) => {
  const { db, config, secrets, log } = context;
  const { oidc } = config.signIn;
  let opened: Provider | undefined;
  const provider = async (): Promise<Provider> => {
    if (oidc === undefined)
      throw new AutocodeError('ERR_STATE', 'No OpenID provider is configured.', {
        remedy: 'Configure signIn.oidc (docs/sign-in.md), or sign in with a password.',
      });
    const { openProvider } = await import('../../people/provider.ts');
    return (opened ??= openProvider(db, secrets, oidc));
  };
  const toPage = (request: FastifyRequest, reply: FastifyReply, error: unknown) => {
    const code = error instanceof AutocodeError ? error.code : 'ERR_INTERNAL';
    request.refusedWith = code;
    log.warn(`sign-in by the provider failed: ${told(error)}`, { requestId: request.id });
    return reply.redirect(`${publicUrl(context, request)}/?problem=${PROBLEMS[code] ?? 'failed'}`);
  };
  app.get(
    '/sign-in-ways',
    {
      config: { access: 'public' },
      schema: {
        tags,
        security: [],
        summary: 'How one may sign in, besides with a password',
        response: { 200: SignInWays },
      },
    },
    () => ({ provider: oidc?.name ?? null }),
  );
  app.get(
    '/oidc/authorization',
    {
      config: { access: 'public', rateLimit: FEW },
      schema: {
        tags,
        security: [],
        summary: 'Sign in by the OpenID provider: leads there',
        querystring: z.object({
          returnTo: text().max(2000).default('/').meta({ description: 'Path of the page to go on with.' }),
        }),
        response: { 302: z.null() },
      },
    },
    async (request, reply) => {
      try {
        const redirectUri = `${publicUrl(context, request)}/api/v1/oidc/callback`;
        const { url, browser } = await (await provider()).begin(redirectUri, ownPath(request.query.returnTo));
        sendCookie(request, reply, browser, BROWSER_SECONDS, BROWSER);
        return await reply.redirect(url.href);
      } catch (error) {
        return toPage(request, reply, error);
      }
    },
  );
  app.get(
    '/oidc/callback',
    {
      config: { access: 'public', rateLimit: FEW, audited: true },
      schema: {
        tags,
        security: [],
        summary: 'Where the OpenID provider sends the browser back to',
        response: { 302: z.null() },
      },
    },
    async (request, reply) => {
      try {
        const base = publicUrl(context, request);
        const current = new URL(`${base}/api/v1/oidc/callback${new URL(request.url, base).search}`);
        const { cookie, returnTo } = await (
          await provider()
        ).finish(current, cookieOf(request, BROWSER), originOf(request), config.signIn);
        sendCookie(request, reply, '', 0, BROWSER);
        await admit(context, request, reply, cookie);
        return await reply.redirect(`${base}${returnTo}`);
      } catch (error) {
        return toPage(request, reply, error);
      }
    },
  );
};

const PROBLEMS: Record<string, SignInProblem> = {
  ERR_STATE: 'no-provider',
  ERR_PROVIDER_UNAVAILABLE: 'provider-away',
  ERR_UNAUTHENTICATED: 'sign-in-over',
  ERR_FORBIDDEN: 'no-role',
};

/** A path of the page itself; what leads anywhere else becomes its beginning. */
function ownPath(path: string): string {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(path) ? path : '/';
}

function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${told(error.cause)})`;
}
