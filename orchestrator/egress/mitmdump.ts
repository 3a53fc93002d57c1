// The command that is the egress proxy: mitmdump with the add-ons and the options that they rely on. Used by the supervisor and by
// `autocode egress proxy`, which is what the unit of systemd starts.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import type { EgressSettings } from '../config/egress-settings.ts';
import type { EgressPlaces } from './places.ts';

export interface ProxyCommand {
  program: string;
  arguments: string[];
}

/** What a proxy of this installation has among its arguments, and no other. */
export const ownArgument = ({ authority }: EgressPlaces) => `confdir=${authority}`;

/** What to start. ERR_CONFIG, with what to do, where mitmproxy is not installed. */
export function proxyCommand(settings: EgressSettings, places: EgressPlaces, port: number): ProxyCommand {
  const program = settings.program ?? join(places.mitmproxy, 'bin/mitmdump');
  if (!existsSync(program)) {
    throw new AutocodeError('ERR_CONFIG', `The egress proxy needs mitmproxy, and there is no ${program}.`, {
      remedy: 'Install it: `autocode egress setup` (once; about 130 MB).',
    });
  }
  const options: Record<string, string | number | boolean> = {
    autocode_identities: places.identities,
    autocode_policy: places.policy,
    autocode_secrets: places.secrets,
    autocode_spool: places.spool,
    ...(settings.limits === undefined ? {} : { autocode_limits: JSON.stringify(settings.limits) }),
    ...(settings.cache === undefined
      ? {}
      : {
          autocode_cache: places.cache,
          autocode_cache_bytes: settings.cache.maxBytes,
          autocode_cache_mirrors: settings.cache.mirrors.join(','),
        }),
    autocode_spool_bytes: settings.spoolBytes,
    autocode_workers: places.workers,
    // Nothing is connected to before it was decided; what is neither HTTP nor TLS has no way through.
    connection_strategy: 'lazy',
    upstream_cert: false,
    rawtcp: false,
    // Between HTTP/2 and HTTP/1.1 mitmproxy hands on bodies of unknown length without saying where they end.
    http2: false,
    onboarding: false,
    showhost: true,
    flow_detail: 0,
    ...(settings.upstreamCa === undefined ? {} : { ssl_verify_upstream_trusted_ca: settings.upstreamCa }),
  };
  return {
    program,
    arguments: [
      '--quiet',
      '--scripts',
      join(places.addOns, 'main.py'),
      '--listen-host',
      settings.host,
      '--listen-port',
      String(port),
      ...modes(settings),
      '--set',
      ownArgument(places),
      ...Object.entries(options).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    ],
  };
}

// The firewall leads to any address of this host, and nobody but workers to these two.
function modes({ firewall }: EgressSettings): string[] {
  if (firewall === undefined) return [];
  const { transparentPort, resolverPort } = firewall;
  const all = ['regular', `transparent@0.0.0.0:${transparentPort}`, `dns@0.0.0.0:${resolverPort}`];
  return all.flatMap((mode) => ['--mode', mode]);
}
