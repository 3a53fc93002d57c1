// /session and /welcomes: signing in and out. /own-…: what people see and change of their own sign-in.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { NewToken, Token } from '../../../protocol/access.ts';
import { AutocodeError, ErrorBody } from '../../../protocol/errors.ts';
import {
  OwnTokenInput,
  PasswordChange,
  Session,
  SignedIn,
  SignInInput,
  WelcomeInput,
} from '../../../protocol/person.ts';
import type { Identity } from '../../access/tokens.ts';
import { createToken, listTokens, revokeToken } from '../../access/tokens.ts';
import {
  csrfOf,
  endSession,
  endSessions,
  listSessions,
  openSession,
  type Origin,
} from '../../people/sessions.ts';
import { changePassword, signIn, welcome } from '../../people/sign-in.ts';
import type { ApiContext } from '../context.ts';
import { Id } from '../parameters.ts';
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
  app.put(
    '/own-password',
    {
      config: own,
      schema: {
        tags,
        summary: 'Change my password; my other sessions end',
        body: PasswordChange,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id, name, session } = personOf(request);
      const person = { id, name, session };
      await changePassword(db, person, request.body, originOf(request)).catch((error: unknown) => {
        throw withRetryAfter(reply, error);
      });
      return await reply.code(204).send(null);
    },
  );
  app.get(
    '/own-sessions',
    {
      config: own,
      schema: { tags, summary: 'Where I am signed in', response: { 200: z.array(Session) } },
    },
    async (request) => {
      const person = request.identity?.rights?.person;
      if (person === undefined) return [];
      const current = personOf(request).session ?? undefined;
      return await listSessions(db, config.signIn, { person, current });
    },
  );
  app.delete(
    '/own-sessions',
    {
      config: own,
      schema: {
        tags,
        summary: 'Sign out everywhere else',
        response: { 200: z.object({ ended: z.number().int() }), 409: ErrorBody },
      },
    },
    async (request) => {
      const { id, session } = personOf(request);
      return { ended: await endSessions(db, id, 'signed out elsewhere', session) };
    },
  );
  app.delete(
    '/own-sessions/:session',
    {
      config: own,
      schema: {
        tags,
        summary: 'Sign out there',
        params: z.object({ session: Id }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await endSession(db, request.params.session, 'signed out elsewhere', personOf(request).id);
      return await reply.code(204).send(null);
    },
  );
  app.get(
    '/own-tokens',
    { config: own, schema: { tags, summary: 'My tokens', response: { 200: z.array(Token) } } },
    async (request) => {
      const person = request.identity?.rights?.person;
      return person === undefined ? [] : await listTokens(db, person);
    },
  );
  app.post(
    '/own-tokens',
    {
      config: own,
      schema: {
        tags,
        summary: 'Make a token that opens what I may do, at most as its role; it ends with me',
        body: OwnTokenInput,
        response: { 201: NewToken },
      },
    },
    async (request, reply) => {
      const { id } = personOf(request);
      return await reply.code(201).send(await createToken(db, { ...request.body, person: id }));
    },
  );
  app.delete(
    '/own-tokens/:id',
    {
      config: own,
      schema: {
        tags,
        summary: 'Revoke a token of mine',
        params: z.object({ id: Id }),
        response: { 200: Token },
      },
    },
    async (request) => await revokeToken(db, request.params.id, personOf(request).id),
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

/** The person who asks; ERR_STATE for a token that belongs to none. */
function personOf({ identity }: FastifyRequest): { id: number; name: string; session: number | null } {
  if (identity?.rights !== undefined) {
    const { rights, name, session, id } = identity;
    return { id: rights.person, name, session: session === undefined ? null : id };
  }
  throw new AutocodeError('ERR_STATE', 'This token belongs to no person.', {
    remedy: 'Sign in as a person; `autocode user create` makes one.',
  });
}

function withRetryAfter(reply: FastifyReply, error: unknown): unknown {
  if (error instanceof AutocodeError && error.code === 'ERR_RATE_LIMITED') {
    const { seconds } = (error.details ?? {}) as { seconds?: number };
    if (seconds !== undefined) reply.header('retry-after', seconds);
  }
  return error;
}
