// Bindings say where a secret may go without the agent ever holding it; leases say which run has which one now (docs/injection.md).
import { z } from 'zod';
import { Name, RunId, Timestamp } from './ids.ts';
import { SecretName } from './secret.ts';
import { text } from './text.ts';

const Variable = z
  .string()
  .max(100)
  .regex(/^[A-Z_][A-Z0-9_]*$/, 'use capitals, digits and underscores')
  .meta({ description: 'Variable of the sandbox that holds the placeholder, as NPM_TOKEN.' });

const Place = z
  .string()
  .max(200)
  .regex(
    /^(bearer|basic(:[!-9;-~]{1,100})?|header:[A-Za-z0-9-]{1,100})$/,
    'use bearer, basic, basic:USER or header:NAME',
  )
  .meta({
    description:
      'Where it stands in a request: `bearer`, `basic` (as the password of any user, or with `:USER` of that one), or `header:NAME`.',
  });

export const SecretBind = z
  .strictObject({
    secret: SecretName,
    project: Name.optional().meta({ description: 'For its runs alone; for all when left out.' }),
    host: text()
      .max(300)
      .meta({ description: 'As in the egress policy; with http:// before it over plain HTTP too.' }),
    methods: z
      .array(z.string().regex(/^[A-Z][A-Z-]{0,31}$/))
      .min(1)
      .max(20)
      .optional()
      .meta({ description: 'All when left out.' }),
    path: text().max(500).optional().meta({ description: 'As in the egress policy; all when left out.' }),
    place: Place,
    variable: Variable,
  })
  .meta({ id: 'SecretBind' });
export type SecretBind = z.infer<typeof SecretBind>;

export const SecretBinding = z
  .object({
    id: z.int(),
    secret: SecretName,
    project: z.string().nullable(),
    rule: z.string().meta({ description: 'The requests that it is for, as a rule of the egress policy.' }),
    plain: z.boolean().meta({ description: 'Over plain HTTP too.' }),
    place: Place,
    variable: Variable,
    author: z.string(),
    at: Timestamp,
  })
  .meta({ id: 'SecretBinding' });
export type SecretBinding = z.infer<typeof SecretBinding>;

export const SecretLease = z
  .object({
    run: RunId,
    secret: SecretName,
    version: z.int().nullable().meta({ description: 'Null: it could not be read yet.' }),
    since: Timestamp,
    until: Timestamp.nullable().meta({
      description: 'The proxy has it no longer than this; it moves on while the run lives.',
    }),
    endedAt: Timestamp.nullable(),
    trouble: z.string().nullable().meta({ description: 'Why it cannot be read now.' }),
  })
  .meta({ id: 'SecretLease' });
export type SecretLease = z.infer<typeof SecretLease>;
