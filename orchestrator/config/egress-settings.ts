// Configuration of the way out of the sandboxes (`egress`). Part of schema.ts; read by orchestrator/egress/ and the CLI.
import { z } from 'zod';
import { EgressCache, EgressLimits } from './egress-use-settings.ts';
import { AuditSettings } from './audit-settings.ts';
import { FirewallSettings } from './firewall-settings.ts';

const PORT_WANTED = 'use a port from 1 to 65535, or auto';
const GIGABYTE = 1024 ** 3;

export const EgressSettings = z
  .strictObject({
    proxy: z
      .boolean()
      .default(false)
      .describe(
        'Whether sandboxes have a way out: through the proxy, by the egress policy. Without it there is none.',
      ),
    host: z.string().min(1).default('127.0.0.1').describe('Address that the proxy listens on.'),
    port: z
      .union([z.literal('auto'), z.int().min(1, PORT_WANTED).max(65_535, PORT_WANTED)], {
        error: PORT_WANTED,
      })
      .default('auto')
      .describe('Port of the proxy; `auto` takes a free one.'),
    publicUrl: z
      .url({ protocol: /^http$/, error: 'use an http address' })
      .optional()
      .describe('Address under which workers on other machines reach the proxy.'),
    service: z
      .boolean()
      .default(false)
      .describe(
        'Whether the proxy is a service of its own (autocode-proxy.service) and no child of the daemon.',
      ),
    program: z
      .string()
      .min(1)
      .optional()
      .meta({ path: true, shownDefault: 'the one that `autocode egress setup` installs' })
      .describe('The program mitmdump.'),
    upstreamCa: z
      .string()
      .min(1)
      .optional()
      .meta({ path: true, shownDefault: "mitmproxy's own list" })
      .describe('Authorities that servers outside are checked by, PEM.'),
    spoolBytes: z
      .int()
      .min(4 * 1024 * 1024)
      .default(10 * GIGABYTE)
      .describe('Most that the records of traffic may take; with more, no request is let out.'),
    limits: EgressLimits.optional(),
    cache: EgressCache.optional(),
    audit: AuditSettings.optional().describe(
      'The Elasticsearch that records of traffic go to (docs/audit.md).',
    ),
    firewall: FirewallSettings.optional().describe(
      'What workers on other machines may reach by this host, their only gateway.',
    ),
  })
  .refine((settings) => !settings.service || settings.port !== 'auto', {
    path: ['port'],
    error: 'a proxy that is a service of its own needs a port',
  })
  .refine(({ firewall, proxy }) => firewall === undefined || proxy, {
    path: ['firewall'],
    error: 'leads to the proxy, so egress.proxy must be true',
  })
  .refine(({ firewall, port }) => firewall?.transparentPort !== port && firewall?.resolverPort !== port, {
    path: ['port'],
    error: 'must be another one than those of egress.firewall',
  });
export type EgressSettings = z.infer<typeof EgressSettings>;
