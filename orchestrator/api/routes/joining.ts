// /worker-invites, /worker-joins, /certificate-authority: how a machine becomes a worker.
import { z } from 'zod';
import { AutocodeError, ErrorBody } from '../../../protocol/errors.ts';
import {
  CertificateAuthority,
  NewWorkerInvite,
  WorkerInvite,
  WorkerInviteInput,
  WorkerJoin,
  WorkerJoined,
} from '../../../protocol/joining.ts';
import { inviteWorker, joinWorker, listInvites, revokeInvite } from '../../workers/invites.ts';
import { joinToken } from '../../workers/join-token.ts';
import { actorOf } from '../authentication.ts';
import type { ApiTls } from '../context.ts';
import { Id } from '../parameters.ts';
import type { Routes } from '../server.ts';

const tags = ['workers'];
/** By address: whoever has no token can only guess secrets of 32 bytes, and is not to make work by it. */
const FEW = { max: 60, timeWindow: 60_000 };

export const joiningRoutes: Routes = (app, { db, tls }) => {
  app.get(
    '/worker-invites',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'List invitations', response: { 200: z.array(WorkerInvite) } },
    },
    async () => await listInvites(db),
  );
  app.post(
    '/worker-invites',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Invite a machine to join as a worker; the token is shown once',
        body: WorkerInviteInput,
        response: { 201: NewWorkerInvite },
      },
    },
    async (request, reply) => {
      const { url, fingerprint } = configured(tls);
      const { invite, secret } = await inviteWorker(db, request.body, actorOf(request));
      const token = joinToken({ fingerprint: fingerprint(), secret });
      const command = `sudo autocode worker join ${url()} --token ${token}`;
      return reply.code(201).send({ ...invite, url: url(), token, command });
    },
  );
  app.delete(
    '/worker-invites/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Revoke an invitation at once',
        params: z.object({ id: Id }),
        response: { 200: WorkerInvite },
      },
    },
    async (request) => await revokeInvite(db, request.params.id),
  );
  app.get(
    '/certificate-authority',
    {
      config: { access: 'public', rateLimit: FEW },
      schema: {
        tags,
        security: [],
        summary: 'The authority that signs for this orchestrator; to be held against a fingerprint',
        response: { 200: CertificateAuthority, 409: ErrorBody },
      },
    },
    async () => ({ certificate: configured(tls).authority() }),
  );
  app.post(
    '/worker-joins',
    {
      config: { access: 'public', rateLimit: FEW },
      schema: {
        tags,
        security: [],
        summary: 'Exchange an invitation for the token of a worker',
        description: 'The same machine gets the same answer again while the invitation lasts.',
        body: WorkerJoin,
        response: { 200: WorkerJoined, 401: ErrorBody, 426: ErrorBody },
      },
    },
    async (request) => await joinWorker(db, request.body),
  );
};

function configured(tls: ApiTls | undefined): ApiTls {
  if (tls !== undefined) return tls;
  throw new AutocodeError('ERR_STATE', 'This orchestrator does not speak TLS to workers.', {
    remedy: 'Configure `tls` (docs/fleet.md, "TLS") and start the daemon again.',
  });
}
