// Configuration of the firewall in front of workers on other machines (`egress.firewall`). Part of egress-settings.ts; read by
// orchestrator/egress/ and the verbs of `egress firewall`.
import { z } from 'zod';

const DNS = 53;
const Port = z.int().min(1).max(65_535);
const ports = (what: string) =>
  z
    .array(Port.refine((port) => port !== DNS, 'names are answered by the resolver of the proxy alone'))
    .max(100)
    .default([])
    .describe(what);

export const FirewallSettings = z
  .strictObject({
    interfaces: z
      .array(
        z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/, 'use names of network interfaces, as virbr0'),
      )
      .min(1, 'name at least one')
      .max(100)
      .refine((names) => new Set(names).size === names.length, 'has a name twice')
      .describe(
        'Network interfaces of this host behind which there are workers and nothing else; of a bridge the bridge.',
      ),
    transparentPort: Port.default(4012).describe('Port of the proxy for what workers send to web servers.'),
    resolverPort: Port.default(4013).describe('Port of the resolver that answers workers.'),
    tcpPorts: ports('More TCP ports of this host that workers may reach, as 4646 and 4647 of Nomad.'),
    udpPorts: ports('UDP ports of this host that workers may reach, as 123 for the time.'),
  })
  .refine(({ transparentPort, resolverPort }) => transparentPort !== resolverPort, {
    path: ['resolverPort'],
    error: 'must be another one than egress.firewall.transparentPort',
  });
export type FirewallSettings = z.infer<typeof FirewallSettings>;
