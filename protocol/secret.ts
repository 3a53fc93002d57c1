// Secrets as the API shows them: names and versions, never values.
import { z } from 'zod';
import { Name, Timestamp } from './ids.ts';

export const SecretInput = z
  .strictObject({
    value: z.string().min(1).max(65_536).meta({ description: 'Kept sealed; no answer ever carries it.' }),
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
  .object({ name: Name, version: z.number().int(), createdAt: Timestamp })
  .meta({ id: 'Secret' });
export type Secret = z.infer<typeof Secret>;
