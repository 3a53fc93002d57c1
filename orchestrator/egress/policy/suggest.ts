// The narrowest rule that would allow a refused request. The same as proxy-addon/refusal.py, which tells it to the client.
import { DEFAULT_PORTS, readTarget, type Decision, type EgressRequest } from './match.ts';
import { readHost } from './host.ts';
import { patternOf, readPath } from './path.ts';
import { printRule } from './rule.ts';

/** In its canonical form; null where no rule would. */
export function suggestion(request: EgressRequest, { reason }: Decision): string | null {
  const { method, scheme, port } = request;
  if (scheme === 'tls' || (reason !== 'no-rule' && reason !== 'private-address')) return null;
  const host = readHost(request.host);
  const path = method === 'CONNECT' ? undefined : readPath(request.path);
  if (host === null || path === null) return null;
  const { target, open } = readTarget(host, request.address);
  if (target === null) return null;
  return printRule({
    action: 'allow',
    methods: method === 'CONNECT' ? null : method === 'GET' || method === 'HEAD' ? ['GET', 'HEAD'] : [method],
    host: host.value,
    port: port === DEFAULT_PORTS[scheme] ? null : port,
    address: host.isAddress || open ? null : target,
    path: path === undefined ? '/**' : patternOf(path),
    project: null,
    runKind: null,
  });
}
