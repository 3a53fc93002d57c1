// The configuration of the Nomad cluster that places workers. A part of schema.ts, under `nomad`.
import { z } from 'zod';
import { Name } from '../../protocol/ids.ts';
import { AutoscaleSettings } from './autoscale-settings.ts';

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
    worker: z
      .strictObject({
        cores: z.int().min(1).max(1024).default(4).describe('Cores that each has to itself.'),
        memoryMib: z
          .int()
          .min(64)
          .max(1_000_000)
          .default(2048)
          .describe('Memory that is set aside for each.'),
        memoryMaxMib: z
          .int()
          .min(64)
          .max(1_000_000)
          .default(3072)
          .describe('What it may take where there is more, if Nomad permits oversubscription.'),
        concurrency: z.int().min(0).max(1000).default(2).describe('Runs at a time on each.'),
        user: z
          .string()
          .min(1)
          .max(64)
          .default('autocode')
          .describe('User on the VMs who may use the socket of the runner service.'),
      })
      .prefault({})
      .describe('What the jobs ask Nomad for.'),
    autoscale: AutoscaleSettings,
    url: z
      .url({ protocol: /^https?$/, error: 'use an http or https address' })
      .optional()
      .meta({ shownDefault: 'that of `tls`, else of `api.publicUrl`' })
      .describe('Address of this orchestrator for workers on the VMs.'),
  })
  .optional()
  .describe('The Nomad cluster that places workers (docs/fleet.md); none is asked when left out.');
export type NomadSettings = NonNullable<z.infer<typeof NomadSettings>>;
