// Who asks, and whether they may. Every route names in its config the role it needs; a route without one is refused at start.
import cookies from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Role } from '../../protocol/access.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { identities } from '../access/identities.ts';
import type { Identity } from '../access/tokens.ts';
import { openSession } from '../people/sessions.ts';
import type { ApiContext } from './context.ts';
import { endWithRights } from './live-rights.ts';
import { decidePerson, decidePersonByBody } from './person-access.ts';
import { cookieOf, isSafe, requireCsrf } from './session-cookie.ts';

/** What a route may ask for: `public`, the least role, or `viewer or run` for what a run may read of itself too. */
export type Access = 'public' | 'viewer' | 'viewer or run' | 'operator' | 'admin' | 'worker' | 'run';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** The answer may hold the value of a secret. */
    showsSecret?: boolean;
  }
  interface FastifyRequest {
    identity: Identity | null;
  }
  interface FastifyInstance {
    /** What each route asks for, by method and address, as in `GET /api/v1/tasks/:task`. */
    access: Map<string, Access>;
  }
}

/** The roles that each lets in. */
export const ALLOWED: Record<Exclude<Access, 'public'>, readonly Role[]> = {
  viewer: ['viewer', 'operator', 'admin'],
  'viewer or run': ['viewer', 'operator', 'admin', 'run'],
  operator: ['operator', 'admin'],
  admin: ['admin'],
  worker: ['worker', 'admin'],
  run: ['run'],
};

/** Installs authentication, then the rate limit of each role (requests a minute; by token, or by address without one). */
export async function authenticate(app: FastifyInstance, context: ApiContext): Promise<void> {
  const limits: Record<string, number> = context.config.api.rateLimit;
  const verify = identities(context.db);
  app.decorateRequest('identity', null);
  app.decorate('access', new Map<string, Access>());
  app.addHook('onRoute', ({ config, method, url }) => {
    if (config?.access === undefined) throw new Error(`route ${url} does not say who may use it`);
    for (const each of [method].flat()) app.access.set(`${each} ${url}`, config.access);
  });
  await app.register(cookies, { hook: false });
  app.addHook('onRequest', async (request) => {
    const access = request.routeOptions.config.access ?? 'public';
    if (access === 'public' || request.is404) return;
    // Kept before anything is decided: what is refused is recorded with who asked.
    const identity = (request.identity = await identify(context, verify, request));
    if (identity.rights === undefined) requireRole(identity, access, request);
    else await decidePerson(context.db, request, identity.rights, ALLOWED[access]);
  });
  endWithRights(app, context);
  app.addHook('preHandler', async (request) => await decidePersonByBody(context.db, request));
  await app.register(rateLimit, {
    hook: 'preParsing',
    keyGenerator: (request) =>
      request.identity === null
        ? `ip:${request.ip}`
        : `${request.identity.session === undefined ? 'token' : 'session'}:${request.identity.id}`,
    max: (request) => limits[request.identity?.role ?? 'public'] ?? 600,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, limit) =>
      new AutocodeError('ERR_RATE_LIMITED', `More than ${limit.max} requests in a minute with this token.`, {
        remedy: `Try again in ${Math.ceil(limit.ttl / 1000)} s, or raise api.rateLimit in the configuration.`,
      }),
  });
}

async function identify(
  { db, config }: Pick<ApiContext, 'db' | 'config'>,
  verify: (token: string) => Promise<Identity | null>,
  request: FastifyRequest,
): Promise<Identity> {
  const token = presentedToken(request.headers.authorization);
  if (token !== null) {
    const identity = await verify(token);
    if (identity !== null) return identity;
    throw new AutocodeError('ERR_UNAUTHENTICATED', 'The token is unknown, revoked or expired.', {
      remedy: 'Make a new one with `autocode token create`.',
    });
  }
  const cookie = cookieOf(request);
  if (cookie === null) {
    throw new AutocodeError('ERR_UNAUTHENTICATED', 'No token came with the request.', {
      remedy: 'Send `Authorization: Bearer <token>`; `autocode token create` makes one.',
    });
  }
  const session = await openSession(db, cookie, config.signIn);
  if (session === null) {
    throw new AutocodeError('ERR_UNAUTHENTICATED', 'The session is over.', { remedy: 'Sign in again.' });
  }
  const { id, name, rights, expiresAt, password } = session;
  const identity: Identity = {
    id,
    name,
    role: 'viewer',
    run: null,
    rights,
    session: { expiresAt, password },
  };
  if (!isSafe(request.method)) {
    request.identity = identity;
    requireCsrf(request, cookie);
  }
  return identity;
}

function requireRole(identity: Identity, access: Exclude<Access, 'public'>, request: FastifyRequest): void {
  if (!ALLOWED[access].includes(identity.role)) {
    throw new AutocodeError(
      'ERR_FORBIDDEN',
      `A ${identity.role} token may not ${request.method} ${request.routeOptions.url}.`,
      {
        remedy: `It needs the role ${access}.`,
      },
    );
  }
  const { run } = request.params as { run?: string };
  if (identity.role === 'run' && run !== undefined && run !== identity.run) {
    throw new AutocodeError('ERR_FORBIDDEN', `The token of run ${identity.run} does not open run ${run}.`);
  }
}

/** The token of a Bearer header, or the password of a Basic one (git). */
function presentedToken(header: string | undefined): string | null {
  const [scheme, value] = header?.split(' ', 2) ?? [];
  if (value === undefined) return null;
  if (scheme?.toLowerCase() === 'bearer') return value;
  if (scheme?.toLowerCase() !== 'basic') return null;
  const text = Buffer.from(value, 'base64').toString();
  return text.slice(text.indexOf(':') + 1);
}

/** Name that is kept with what the caller makes, as in a task's `createdBy`. */
export function actorOf(request: FastifyRequest): string {
  return request.identity?.name ?? 'unknown';
}
