// Secrets as the API shows them: names and versions; values only by the one route that leaves an event.
import { z } from 'zod';
import { Timestamp } from './ids.ts';

/** Names of secrets, in up to four parts: each becomes a part of a path. */
export const SecretName = z
  .string()
  .max(200)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}(\/[A-Za-z0-9][A-Za-z0-9._-]{0,62}){0,3}$/,
    'use up to four parts with / between them, each 1 to 63 of A-Z, a-z, 0-9, dot, dash and underscore, starting with a letter or digit',
  )
  .meta({ description: 'Name of a secret, as `openai-key` or `payments/card_primary`.' });

export const SecretInput = z
  .strictObject({
    value: z
      .string()
      .min(1)
      .max(65_536)
      .meta({ description: 'Kept sealed; shown to admins alone, which leaves an event.' }),
    expectedVersion: z
      .number()
      .int()
      .min(0)
      .max(1_000_000_000)
      .optional()
      .meta({ description: 'Written only if this is still the newest version; 0: only if it is new.' }),
  })
  .meta({ id: 'SecretWrite' });
export type SecretInput = z.infer<typeof SecretInput>;

export const Secret = z
  .object({ name: SecretName, version: z.number().int(), createdAt: Timestamp })
  .meta({ id: 'Secret' });
export type Secret = z.infer<typeof Secret>;

/** What the writer is told, beside what was written. */
export const SecretWritten = Secret.extend({
  notice: z
    .string()
    .nullable()
    .meta({ description: 'Why it cannot be taken out of logs and prompts by its value; null when it can.' }),
}).meta({ id: 'SecretWritten' });
export type SecretWritten = z.infer<typeof SecretWritten>;

/** The answer of the one route that shows a value. */
export const RevealedSecret = z
  .object({ name: SecretName, version: z.number().int(), value: z.string() })
  .meta({ id: 'RevealedSecret' });
