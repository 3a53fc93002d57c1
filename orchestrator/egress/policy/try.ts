// What the policy says of a request that somebody only thinks of: `egress policy test`. Used by the API.
import type { EgressTest, EgressVerdict } from '../../../protocol/egress.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { compilePolicy, DEFAULT_PORTS, decide, type EgressRequest } from './match.ts';
import type { EffectivePolicy } from './store.ts';
import { suggestion } from './suggest.ts';

/** Stands for any address of the internet; nothing is looked up and nothing is sent. */
export const SOME_PUBLIC_ADDRESS = '1.1.1.1';

/** The decision, and what would allow the request. `now` in seconds. */
export function tryRequest(
  { version, rules, recording }: EffectivePolicy,
  { url, method, project, runKind, address }: EgressTest,
  now = Date.now() / 1000,
): EgressVerdict {
  const policy = compilePolicy(rules, recording);
  const target = requestTo(url);
  const named = rules.map((rule) => rule.address).filter((each) => each !== null);
  const supposed = address === undefined ? [SOME_PUBLIC_ADDRESS, ...new Set(named)] : [address];
  const tried = supposed.map((each): { request: EgressRequest; decision: ReturnType<typeof decide> } => {
    const request = {
      ...target,
      method,
      project: project ?? null,
      runKind: runKind ?? null,
      address: target.isAddress ? (address ?? null) : each,
    };
    const unseen = request.scheme === 'https' ? decide(policy, { ...request, scheme: 'tls' }, now) : null;
    return { request, decision: unseen?.decision === 'allow' ? unseen : decide(policy, request, now) };
  });
  const { request, decision } = tried.find((each) => each.decision.decision === 'allow') ?? tried[0]!;
  return { ...decision, allowedBy: suggestion(request, decision), policy: version };
}

/** What a client would send for the address, spelled as it stands: a URL parser would already mend what is odd about it. */
export function requestTo(
  url: string,
): Pick<EgressRequest, 'scheme' | 'host' | 'port' | 'path' | 'sni' | 'hostHeader'> & { isAddress: boolean } {
  const [, scheme, authority = '', rest = ''] = /^(https?):\/\/([^/?#]*)([^#]*)(?:#.*)?$/is.exec(url) ?? [];
  const spoken = scheme?.toLowerCase();
  if (spoken !== 'http' && spoken !== 'https')
    throw new AutocodeError('ERR_INVALID_INPUT', `${url.slice(0, 200)} is no address of http or https.`, {
      remedy: 'Write it as https://host/path.',
    });
  const [, name = authority, port] = /^(.*?)(?::([0-9]+))?$/s.exec(authority) ?? [];
  const isAddress = /^\[.*\]$|^[0-9.]+$/.test(name);
  return {
    scheme: spoken,
    host: name,
    port: port === undefined ? DEFAULT_PORTS[spoken] : Number(port),
    path: rest.startsWith('/') ? rest : `/${rest}`,
    sni: spoken === 'https' && !isAddress ? name : null,
    hostHeader: name,
    isAddress,
  };
}
