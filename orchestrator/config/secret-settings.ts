// Configuration of where secrets are kept (`secrets`): sealed files, or a Vault. Part of schema.ts; read by secrets/open.ts.
import { z } from 'zod';

const file = () => z.string().min(1).optional();

export const VaultSettings = z.strictObject({
  address: z
    .url({ protocol: /^https$/, error: 'use an https address' })
    .describe('Address of Vault, as `https://127.0.0.1:8200`.'),
  caFile: file()
    .meta({ path: true, shownDefault: 'the authorities of the system' })
    .describe('The only authority that its certificate may come from; PEM.'),
  mount: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'use the name of a mount, as `secret`')
    .default('secret')
    .describe('Where its KV store (version 2) is mounted.'),
  roleIdFile: file()
    .meta({ path: true, shownDefault: '`config/vault/role-id` in the data directory' })
    .describe(
      'File with the role id of the AppRole to log in by; the environment’s `VAULT_TOKEN` goes before it.',
    ),
  secretIdFile: file()
    .meta({ path: true, shownDefault: '`config/vault/secret-id` in the data directory' })
    .describe('File with the secret id that belongs to it; it is replaced every day.'),
});
export type VaultSettings = z.infer<typeof VaultSettings>;

export const SecretSettings = z
  .strictObject({
    kind: z
      .enum(['file', 'vault'])
      .default('file')
      .describe('`file`: sealed in the data directory; `vault`.'),
    vault: VaultSettings.optional().describe('The Vault (or OpenBao) that keeps them (docs/secrets.md).'),
  })
  .refine(({ kind, vault }) => kind === 'file' || vault !== undefined, {
    path: ['vault'],
    error: 'is needed where kind is vault',
  });
export type SecretSettings = z.infer<typeof SecretSettings>;
