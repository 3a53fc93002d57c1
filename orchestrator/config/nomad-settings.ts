// The configuration of the Nomad cluster that places workers. A part of schema.ts, under `nomad`.
import { z } from 'zod';
import { Name } from '../../protocol/ids.ts';

export const NomadSettings = z
  .strictObject({
    address: z
      .url({ protocol: /^https?$/, error: 'use an http or https address' })
      .describe('A server of the cluster, as `https://nomad.example.com:4646`.'),
    caFile: z
      .string()
      .min(1)
      .optional()
      .meta({ path: true, shownDefault: 'the authorities of the system' })
      .describe('Certificate of the authority that signed the certificate of the server, as PEM.'),
    tokenSecret: Name.default('nomad-token').describe('Name of the secret that holds the ACL token.'),
    namespace: z.string().min(1).max(128).default('default').describe('Namespace of its jobs.'),
    datacenters: z
      .array(z.string().min(1).max(128))
      .min(1)
      .default(['dc1'])
      .describe('Where workers may be placed.'),
    job: Name.default('autocode-worker').describe('Id of the job whose allocations are workers.'),
    runJob: Name.default('autocode-run').describe('Id of the job that is dispatched once for a run.'),
  })
  .optional()
  .describe('The Nomad cluster that places workers (docs/fleet.md); none is asked when left out.');
export type NomadSettings = NonNullable<z.infer<typeof NomadSettings>>;
