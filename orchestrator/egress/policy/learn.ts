// Rules for what a project was refused, or did in record mode: few, and no wider than they must be. A proposal for a person, who
// approves it; docs/egress.md says how it widens. Used by the API.
import type { EgressProposal } from '../../../protocol/egress.ts';
import type { TrafficRecord } from '../../../protocol/traffic.ts';
import { compilePolicy, decide, type Policy } from './match.ts';
import { patternOf, readPath } from './path.ts';
import { printRule } from './rule.ts';
import { readHost } from './host.ts';
import type { EffectivePolicy } from './store.ts';
import { requestTo, SOME_PUBLIC_ADDRESS } from './try.ts';

/** So many rules for one host and method; with more, paths are cut short. */
const MOST_RULES = 8;
const READING = ['GET', 'HEAD'];
// Numbers, versions, UUIDs, digests, what records do not show, and other segments that no person would have made up.
const ID =
  /^(?:\d+|.*\[redacted\].*|v?\d+(?:\.\d+)+\S*|[0-9a-f]{8}-[0-9a-f-]{27}|(?=.*\d)[0-9a-f]{7,}|sha\d+:[0-9a-f]+|(?=[^\d]*\d)(?=.*[a-z])[\w+=~-]{20,})$/i;

type Observed = Pick<TrafficRecord, 'method' | 'url' | 'decision' | 'reason' | 'kind' | 'run'>;

/** What a rule is proposed for: how often, by which runs, and one of them as it was. */
interface Evidence {
  requests: number;
  runs: Set<string>;
  example: string;
}

interface Group {
  methods: string[];
  host: string;
  port: number | null;
  /** By their segments, ids replaced. */
  paths: Map<string, Evidence & { segments: string[] }>;
}

/** A proposal from records of a project's traffic. */
export function propose(
  records: Iterable<Observed>,
  effective: EffectivePolicy,
  project: string,
): EgressProposal {
  const policy = compilePolicy(effective.rules); // without record mode
  const groups = new Map<string, Group>();
  const skipped = new Map<string, EgressProposal['skipped'][number]>();
  for (const record of records) {
    const why = note(record, policy, project, groups);
    if (why === null) continue;
    const what = `${record.method} ${withoutQuery(record.url ?? '')}`;
    const found = skipped.get(what) ?? { what, requests: 0, why };
    found.requests += 1;
    skipped.set(what, found);
  }
  const rules = [...groups.values()].flatMap(rulesOf).toSorted((a, b) => b.requests - a.requests);
  return { rules, skipped: [...skipped.values()].toSorted((a, b) => b.requests - a.requests).slice(0, 100) };
}

/** Adds a record to its group; or says why no rule is proposed for it. Null: it was added, or needs no rule. */
function note(record: Observed, policy: Policy, project: string, groups: Map<string, Group>): string | null {
  const { method, url, decision, reason, kind } = record;
  const wanted = decision === 'denied' || (decision === 'allowed' && reason === 'recording');
  if (!wanted || method === null || method === 'CONNECT' || url === null) return null;
  if (reason === 'private-address') return 'its address is not public: name it with address=';
  if (reason === 'malformed' || reason === 'names-differ') return 'no rule allows what is malformed';
  const request = {
    ...requestTo(url),
    method,
    project,
    runKind: kind,
    address: SOME_PUBLIC_ADDRESS,
  };
  if (request.isAddress) return 'it names an address instead of a host: allow it by hand';
  const now = decide(policy, request);
  if (now.decision === 'allow') return null;
  if (now.reason === 'rule') return `${now.rule} denies it`;
  const host = readHost(request.host);
  const path = readPath(request.path);
  if (now.reason !== 'no-rule' || host === null || path === null) return 'no rule allows what is malformed';
  const methods = READING.includes(method) ? READING : [method];
  const port = request.port === (request.scheme === 'https' ? 443 : 80) ? null : request.port;
  const key = JSON.stringify([methods, host.value, port]);
  const group = groups.get(key) ?? { methods, host: host.value, port, paths: new Map() };
  groups.set(key, group);
  const segments = patternOf(path)
    .slice(1)
    .split('/')
    .map((segment) => (ID.test(segment) ? '*' : segment));
  const pattern = segments.join('/');
  const found = group.paths.get(pattern) ?? { segments, ...evidence(withoutQuery(url)) };
  found.requests += 1;
  if (record.run !== null) found.runs.add(record.run);
  group.paths.set(pattern, found);
  return null;
}

/** The rules of a host and method. Too many paths are cut to the longest beginnings that are few enough; to none at all for reading only. */
function rulesOf({ methods, host, port, paths }: Group): EgressProposal['rules'] {
  const all = [...paths.values()];
  const least = methods === READING ? 0 : 1;
  const longest = Math.max(...all.map(({ segments }) => segments.length));
  let cut = cutTo(all, longest);
  for (let depth = longest - 1; cut.size > MOST_RULES && depth >= least; depth--) cut = cutTo(all, depth);
  return [...cut].map(([path, { requests, runs, example }]) => {
    const rule = {
      action: 'allow',
      methods,
      host,
      port,
      address: null,
      path,
      project: null,
      runKind: null,
    } as const;
    return { rule: printRule(rule), requests, runs: runs.size, example };
  });
}

function cutTo(all: (Evidence & { segments: string[] })[], depth: number): Map<string, Evidence> {
  const cut = new Map<string, Evidence>();
  for (const { segments, requests, runs, example } of all) {
    const kept = segments.length > depth ? [...segments.slice(0, depth), '**'] : segments;
    const path = `/${kept.join('/')}`;
    const found = cut.get(path) ?? evidence(example);
    cut.set(path, { ...found, requests: found.requests + requests, runs: found.runs.union(runs) });
  }
  return cut;
}

function evidence(example: string): Evidence {
  return { requests: 0, runs: new Set(), example };
}

/** An address without what may be secret of it, and differs from one request to the next. */
export function withoutQuery(url: string): string {
  return url.split('?', 1)[0]!;
}
