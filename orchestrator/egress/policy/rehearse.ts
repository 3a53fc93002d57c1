// What another policy would change for requests that runs made: what it would let out, what it would refuse. Used by the API.
import type { EgressRehearsal } from '../../../protocol/egress.ts';
import type { TrafficRecord } from '../../../protocol/traffic.ts';
import { withoutQuery } from './learn.ts';
import { compilePolicy, decide } from './match.ts';
import type { EffectivePolicy } from './store.ts';
import { requestTo, SOME_PUBLIC_ADDRESS } from './try.ts';

type Made = Pick<TrafficRecord, 'method' | 'url' | 'project' | 'kind' | 'address'>;
type Effect = Pick<EgressRehearsal, 'requests' | 'allowed' | 'refused'>;

const TOLD = 50;

/** Decides each request by both; record mode is left out. */
export function rehearse(records: readonly Made[], before: EffectivePolicy, after: EffectivePolicy): Effect {
  const policies = [before, after].map(({ rules }) => compilePolicy(rules));
  const decided = new Map<string, 'allowed' | 'refused' | null>();
  const counts = { allowed: new Map<string, number>(), refused: new Map<string, number>() };
  let requests = 0;
  for (const record of records) {
    const { method, url, project, kind, address } = record;
    if (method === null || method === 'CONNECT' || url === null || !/^https?:/i.test(url)) continue;
    requests += 1;
    const what = `${method} ${withoutQuery(url)}`;
    const key = JSON.stringify([what, project, kind, address]);
    let change = decided.get(key);
    if (change === undefined) {
      change = changeOf(policies, record);
      decided.set(key, change);
    }
    if (change !== null) counts[change].set(what, (counts[change].get(what) ?? 0) + 1);
  }
  return { requests, allowed: most(counts.allowed), refused: most(counts.refused) };
}

function changeOf(
  policies: ReturnType<typeof compilePolicy>[],
  { method, url, project, kind, address }: Made,
): 'allowed' | 'refused' | null {
  const request = {
    ...requestTo(url!),
    method: method!,
    project,
    runKind: kind,
    address: address ?? SOME_PUBLIC_ADDRESS,
  };
  const [before, after] = policies.map((policy) => {
    const unseen =
      request.scheme === 'https' && decide(policy, { ...request, scheme: 'tls' }).decision === 'allow';
    return unseen || decide(policy, request).decision === 'allow';
  });
  return before === after ? null : after === true ? 'allowed' : 'refused';
}

function most(counts: Map<string, number>): Effect['allowed'] {
  const all = [...counts].map(([what, requests]) => ({ what, requests }));
  return {
    requests: all.reduce((sum, { requests }) => sum + requests, 0),
    most: all.toSorted((a, b) => b.requests - a.requests).slice(0, TOLD),
  };
}
