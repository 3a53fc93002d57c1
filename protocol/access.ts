// Roles of API tokens.
import { z } from 'zod';
import { Timestamp } from './ids.ts';
import { text } from './text.ts';

/** admin: all. operator: projects, tasks, changes. viewer: reads. worker: registers and claims. run: one run's own calls. gateway: /v1/* at the gateway only. */
export const ROLES = ['admin', 'operator', 'viewer', 'worker', 'run', 'gateway'] as const;
export const Role = z.enum(ROLES).meta({ id: 'Role' });
export type Role = z.infer<typeof Role>;

export const TokenInput = z
  .strictObject({
    name: text().min(1).max(100),
    role: z.enum(['admin', 'operator', 'viewer', 'worker']),
    expiresInDays: z.number().positive().max(3650).optional(),
  })
  .meta({ id: 'TokenCreate' });
export type TokenInput = z.infer<typeof TokenInput>;

export const Token = z
  .object({
    id: z.number().int(),
    name: z.string(),
    role: Role,
    createdAt: Timestamp,
    expiresAt: Timestamp.nullable(),
    lastUsedAt: Timestamp.nullable(),
    revokedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof Token>;

export const NewToken = Token.extend({
  token: z.string().meta({ description: 'Shown once; only its hash is kept.' }),
}).meta({ id: 'NewToken' });
export type NewToken = z.infer<typeof NewToken>;
