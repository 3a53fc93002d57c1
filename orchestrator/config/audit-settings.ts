// Configuration of the Elasticsearch that records of traffic go to (`egress.audit`). Part of egress-settings.ts; read by
// orchestrator/egress/audit/ and the CLI.
import { z } from 'zod';

export const AuditSettings = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'use an http or https address' })
      .describe('Address of Elasticsearch, as `https://127.0.0.1:9200`.'),
    caFile: z
      .string()
      .min(1)
      .optional()
      .meta({ path: true, shownDefault: 'the authorities of the system' })
      .describe('The only authority that its certificate may come from; PEM.'),
    apiKeySecret: z
      .string()
      .min(1)
      .optional()
      .describe('Name of the secret with an API key, encoded as Elasticsearch gives it.'),
    username: z.string().min(1).optional().describe('Its user, instead of an API key.'),
    passwordSecret: z
      .string()
      .min(1)
      .optional()
      .describe('Name of the secret with the password of that user.'),
    retentionDays: z
      .int()
      .min(1)
      .max(3650)
      .default(90)
      .describe('Daily indices of records that are older are deleted.'),
    kibanaUrl: z
      .url({ protocol: /^https?$/, error: 'use an http or https address' })
      .optional()
      .describe('Address of Kibana, for `egress kibana import`.'),
  })
  .refine(({ username, passwordSecret }) => (username === undefined) === (passwordSecret === undefined), {
    path: ['passwordSecret'],
    error: 'a user and a password go together',
  })
  .refine(({ username, apiKeySecret }) => username === undefined || apiKeySecret === undefined, {
    path: ['apiKeySecret'],
    error: 'use an API key or a user, not both',
  });
export type AuditSettings = z.infer<typeof AuditSettings>;
