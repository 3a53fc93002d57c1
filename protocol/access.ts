// Roles of API tokens, and keys for the gateway.
import { z } from 'zod';
import { Name, Timestamp } from './ids.ts';
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

export const KeyInput = z
  .strictObject({
    name: text().min(1).max(100).meta({ description: 'Who it is for.' }),
    kind: z.enum(['person', 'service']).default('person'),
    models: z.array(text().min(1).max(200)).max(200).default([]).meta({
      description: 'Models and roles that it opens, as `engine/model` or `autocode/coder`; empty: all.',
    }),
    external: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether it opens engines outside the appliance.' }),
    project: Name.optional().meta({
      description: 'Project that its use is counted with, and whose rules it follows.',
    }),
    expiresInDays: z.number().positive().max(3650).optional(),
  })
  .meta({ id: 'KeyCreate' });
export type KeyInput = z.infer<typeof KeyInput>;

export const Key = Token.omit({ role: true })
  .extend({
    kind: z.enum(['person', 'service']),
    models: z.array(z.string()),
    external: z.boolean(),
    project: z.string().nullable(),
  })
  .meta({ id: 'Key', description: 'A key of a person or service for the model gateway.' });
export type Key = z.infer<typeof Key>;

export const NewKey = Key.extend({
  key: z.string().meta({ description: 'Shown once; only its hash is kept.' }),
}).meta({ id: 'NewKey' });
export type NewKey = z.infer<typeof NewKey>;
