// /own-…: what people see and change of their own sign-in: sessions, tokens, password.
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { NewToken, Token } from '../../../protocol/access.ts';
import { AutocodeError, ErrorBody } from '../../../protocol/errors.ts';
import { OwnTokenInput, PasswordChange, Session } from '../../../protocol/person.ts';
import { createToken, listTokens, revokeToken } from '../../access/tokens.ts';
import { endSession, endSessions, listSessions } from '../../people/sessions.ts';
import { changePassword } from '../../people/sign-in.ts';
import { Id } from '../parameters.ts';
import type { Routes } from '../server.ts';
import { originOf, withRetryAfter } from './sessions.ts';

const tags = ['sign-in'];
const own = { access: 'viewer', limited: 'open' } as const;

export const ownRoutes: Routes = (app, { db, config }) => {
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
