// /tokens: access of people, services and workers.
import { z } from 'zod';
import { NewToken, Token, TokenInput } from '../../../protocol/access.ts';
import { createToken, listTokens, revokeToken } from '../../access/tokens.ts';
import { Id } from '../parameters.ts';
import type { Routes } from '../server.ts';

const tags = ['tokens'];

export const tokenRoutes: Routes = (app, { db }) => {
  app.get(
    '/tokens',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'List tokens (never their text)', response: { 200: z.array(Token) } },
    },
    async () => await listTokens(db),
  );
  app.post(
    '/tokens',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Make a token; its text is shown once',
        body: TokenInput,
        response: { 201: NewToken },
      },
    },
    async (request, reply) => reply.code(201).send(await createToken(db, request.body)),
  );
  app.delete(
    '/tokens/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Revoke a token at once',
        params: z.object({ id: Id }),
        response: { 200: Token },
      },
    },
    async (request) => await revokeToken(db, request.params.id),
  );
};
