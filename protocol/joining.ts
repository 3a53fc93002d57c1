// How a machine becomes a worker: an invitation, and what it is exchanged for.
import { z } from 'zod';
import { Name, Timestamp } from './ids.ts';
import { text } from './text.ts';

export const WorkerInviteInput = z
  .strictObject({
    name: Name.optional().meta({ description: "The worker's name; its machine's when left out." }),
    ttlSeconds: z
      .int()
      .min(1)
      .max(7 * 86_400)
      .default(3_600)
      .meta({ description: 'How long it can be used.' }),
  })
  .meta({ id: 'WorkerInviteCreate' });
export type WorkerInviteInput = z.infer<typeof WorkerInviteInput>;

export const WorkerInvite = z
  .object({
    id: z.number().int(),
    name: z.string().nullable(),
    state: z.enum(['open', 'used', 'expired', 'revoked']),
    createdBy: z.string(),
    createdAt: Timestamp,
    expiresAt: Timestamp,
    usedAt: Timestamp.nullable(),
    worker: z.string().nullable().meta({ description: 'The worker that used it.' }),
  })
  .meta({ id: 'WorkerInvite' });
export type WorkerInvite = z.infer<typeof WorkerInvite>;

export const NewWorkerInvite = WorkerInvite.extend({
  url: z.string().meta({ description: 'Address of the orchestrator over TLS.' }),
  token: z.string().meta({
    description:
      'Shown once: the SHA-256 of the authority that the machine is to trust, and a secret of which only the hash is kept.',
  }),
  command: z.string().meta({ description: 'What to type on the machine.' }),
}).meta({ id: 'NewWorkerInvite' });
export type NewWorkerInvite = z.infer<typeof NewWorkerInvite>;

export const CertificateAuthority = z
  .object({ certificate: z.string().meta({ description: 'PEM.' }) })
  .meta({ id: 'CertificateAuthority' });

const Key = z.string().regex(/^[\w-]{43}$/, 'has to be 32 bytes as base64url');

export const WorkerJoin = z
  .strictObject({
    protocol: z.number().int(),
    version: text().max(50),
    secret: Key.meta({ description: 'Of the invitation.' }),
    machine: Key.meta({
      description: 'Made and kept by the machine: with the same one the same answer is given again.',
    }),
    name: Name.meta({ description: 'Taken where the invitation has none.' }),
  })
  .meta({ id: 'WorkerJoin' });
export type WorkerJoin = z.infer<typeof WorkerJoin>;

export const WorkerJoined = z
  .object({
    worker: Name,
    token: z.string().meta({ description: "The worker's own token." }),
    installation: z.uuid(),
  })
  .meta({ id: 'WorkerJoined' });
export type WorkerJoined = z.infer<typeof WorkerJoined>;
