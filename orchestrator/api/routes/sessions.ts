// /session and /welcomes: signing in and out.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AutocodeError, ErrorBody } from '../../../protocol/errors.ts';
import { SignedIn, SignInInput, WelcomeInput } from '../../../protocol/person.ts';
import type { Identity } from '../../access/tokens.ts';
import { csrfOf, endSession, openSession, type Origin } from '../../people/sessions.ts';
import { signIn, welcome } from '../../people/sign-in.ts';
import type { ApiContext } from '../context.ts';
import type { Routes } from '../server.ts';
import { cookieOf, requireSameSite, sendCookie } from '../session-cookie.ts';

const tags = ['sign-in'];
/** By address, besides the bounds of sign-in: whoever is not signed in is not to make work by it. */
const FEW = { max: 120, timeWindow: 60_000 };
const own = { access: 'viewer', limited: 'open' } as const;

export const sessionRoutes: Routes = (app, context) => {
  const { db, config } = context;
  app.get(
    '/session',
    { config: own, schema: { tags, summary: 'Who I am', response: { 200: SignedIn } } },
    async (request) => signedIn(request.identity!, cookieOf(request)),
  );
  app.post(
    '/session',
    {
      config: { access: 'public', rateLimit: FEW, audited: true },
      schema: {
        tags,
        security: [],
        summary: 'Sign in with name and password; the session is a cookie',
        body: SignInInput,
        response: { 200: SignedIn, 401: ErrorBody, 403: ErrorBody },
      },
    },
    async (request, reply) => {
      requireSameSite(request);
      const cookie = await signIn(db, request.body, originOf(request), config.signIn).catch(
        (error: unknown) => {
          throw withRetryAfter(reply, error);
        },
      );
      return await admit(context, request, reply, cookie);
    },
  );
  app.delete(
    '/session',
    { config: own, schema: { tags, summary: 'Sign out', response: { 204: z.null() } } },
    async (request, reply) => {
      const { identity } = request;
      if (identity?.session !== undefined) await endSession(db, identity.id, 'signed out');
      sendCookie(request, reply, '', 0);
      return await reply.code(204).send(null);
    },
  );
  app.post(
    '/welcomes',
    {
      config: { access: 'public', rateLimit: FEW, audited: true },
      schema: {
        tags,
        security: [],
        summary: 'Set a password by a one-time link, and sign in',
        body: WelcomeInput,
        response: { 200: SignedIn, 401: ErrorBody, 403: ErrorBody },
      },
    },
    async (request, reply) => {
      requireSameSite(request);
      return await admit(
        context,
        request,
        reply,
        await welcome(db, request.body, originOf(request), config.signIn),
      );
    },
  );
};

/** Where a request comes from, as sessions keep it. */
export function originOf(request: FastifyRequest): Origin {
  const agent = (request.headers['user-agent'] ?? '').toWellFormed().replaceAll('\0', '');
  return { address: request.ip, userAgent: agent };
}

/** Ends the session that the request came with and gives the new one to the browser; nobody's earlier cookie becomes a session. */
export async function admit(
  { db, config }: Pick<ApiContext, 'db' | 'config'>,
  request: FastifyRequest,
  reply: FastifyReply,
  cookie: string,
): Promise<SignedIn> {
  const before = cookieOf(request);
  const ended = before === null ? null : await openSession(db, before, config.signIn);
  if (ended !== null) await endSession(db, ended.id, 'signed in anew');
  const session = await openSession(db, cookie, config.signIn);
  if (session === null)
    throw new AutocodeError('ERR_UNAUTHENTICATED', 'The session ended while it began.', {
      remedy: 'Sign in again.',
    });
  const { id, name, rights, password, expiresAt } = session;
  const identity: Identity = {
    id,
    name,
    role: rights.role ?? 'viewer',
    run: null,
    rights,
    session: { password, expiresAt },
  };
  request.identity = identity;
  sendCookie(request, reply, cookie, (expiresAt.getTime() - Date.now()) / 1000);
  return signedIn(identity, cookie);
}

function signedIn({ id, name, role, rights, session }: Identity, cookie: string | null): SignedIn {
  const human = role === 'viewer' || role === 'operator' || role === 'admin' ? role : null;
  return {
    user: {
      name,
      role: rights === undefined ? human : rights.role,
      projects: Object.fromEntries(rights?.projects.map((each) => [each.name, each.role]) ?? []),
      person: rights !== undefined,
      password: session?.password ?? false,
    },
    session: session === undefined ? null : id,
    csrf: session === undefined || cookie === null ? null : csrfOf(cookie),
    expiresAt: session?.expiresAt.toISOString() ?? null,
  };
}

/** The same error, with a header that says when to try again, where it says so. */
export function withRetryAfter(reply: FastifyReply, error: unknown): unknown {
  if (error instanceof AutocodeError && error.code === 'ERR_RATE_LIMITED') {
    const { seconds } = (error.details ?? {}) as { seconds?: number };
    if (seconds !== undefined) reply.header('retry-after', seconds);
  }
  return error;
}
