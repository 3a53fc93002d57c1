// What the firewall is to let workers reach, from the configuration alone: neither the daemon nor its database is asked. Used by
// firewall.ts; ruleset.ts writes it for nftables.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Config } from '../../config/schema.ts';

/** A port of this host that workers may reach, and what is there. */
export interface OpenPort {
  protocol: 'tcp' | 'udp';
  port: number;
  what: string;
}

export interface FirewallPlan {
  interfaces: readonly string[];
  transparentPort: number;
  resolverPort: number;
  open: OpenPort[];
}

/** The plan; ERR_CONFIG where there is none, or where it would need a port that only the daemon knows. */
export function firewallPlan({ egress, tls, api, gateway }: Config): FirewallPlan {
  const { firewall } = egress;
  if (firewall === undefined) {
    throw new AutocodeError('ERR_CONFIG', '`egress.firewall` is not configured here.', {
      remedy:
        'Write it into the configuration file (docs/firewall.md), or look with the --config of the daemon.',
    });
  }
  const open: OpenPort[] = [];
  const add = (key: string, port: number | 'auto', what: string) => {
    if (port === 'auto') {
      throw new AutocodeError('ERR_CONFIG', `The firewall cannot let workers reach ${key}, which is auto.`, {
        remedy: `Give ${key} a number in the configuration.`,
      });
    }
    open.push({ protocol: 'tcp', port, what });
  };
  if (tls !== undefined) {
    add('tls.port', tls.port, 'API and git, over TLS');
    add('tls.gatewayPort', tls.gatewayPort, 'model gateway, over TLS');
  }
  if (!isLoopback(api.host)) add('api.port', api.port, 'API and git');
  if (!isLoopback(gateway.host)) add('gateway.port', gateway.port, 'model gateway');
  if (!isLoopback(egress.host)) add('egress.port', egress.port, 'egress proxy, for runs');
  for (const port of firewall.tcpPorts)
    open.push({ protocol: 'tcp', port, what: 'egress.firewall.tcpPorts' });
  for (const port of firewall.udpPorts)
    open.push({ protocol: 'udp', port, what: 'egress.firewall.udpPorts' });
  const { interfaces, transparentPort, resolverPort } = firewall;
  return { interfaces, transparentPort, resolverPort, open };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
}
