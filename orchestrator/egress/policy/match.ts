// Which requests may leave: rules, made ready to be looked up by host, and the decision. The proxy decides by proxy-addon/policy.py,
// which does the same; proxy-addon/cases/policy.json proves it. Used by tests of the policy and by what is learnt.
import { isPublic, readAddress } from './address.ts';
import { readHost, splitPort, type Host } from './host.ts';
import { lenient, readPath } from './path.ts';
import { printRule, type Rule } from './rule.ts';

/** What wants to leave; texts as they come over the wire. */
export interface EgressRequest {
  /** What is spoken to the far side; of a CONNECT, https. */
  scheme: 'http' | 'https';
  /** CONNECT asks whether anything may go to that host and port at all; what goes inside is asked about one by one. */
  method: string;
  host: string;
  port: number;
  /** With its query. */
  path: string;
  /** Where the proxy will connect to: looked up by the proxy itself, never taken from the client. */
  address: string | null;
  /** The TLS server name; null where there was none. */
  sni: string | null;
  /** The Host header or :authority. */
  hostHeader: string | null;
  project: string | null;
  runKind: string | null;
}

export type Reason = 'rule' | 'recording' | 'no-rule' | 'private-address' | 'names-differ' | 'malformed';

export interface Decision {
  decision: 'allow' | 'deny';
  reason: Reason;
  /** The rule that decided, in its canonical form. */
  rule: string | null;
}

interface Ready {
  text: string;
  rule: Rule;
  methods: Set<string> | null;
  segments: string[];
  openEnd: boolean;
  address: string | null;
}

/** The rules by the host that they are for. */
export interface Policy {
  rules: Map<string, Ready[]>;
  /** Projects in record mode, and until when (seconds since 1970). */
  recording: Record<string, number>;
}

export const DEFAULT_PORTS = { http: 80, https: 443 };
const METHOD = /^[A-Z][A-Z-]{0,31}$/;

/** Makes rules ready. */
export function compilePolicy(rules: Rule[], recording: Record<string, number> = {}): Policy {
  const byHost = new Map<string, Ready[]>();
  for (const rule of rules) {
    const found = byHost.get(rule.host);
    if (found === undefined) byHost.set(rule.host, [ready(rule)]);
    else found.push(ready(rule));
  }
  return { rules: byHost, recording };
}

function ready(rule: Rule): Ready {
  const segments = rule.path.slice(1).split('/');
  const openEnd = segments.at(-1) === '**';
  if (openEnd) segments.pop();
  const isAddress = readHost(rule.host)?.isAddress === true;
  return {
    text: printRule(rule),
    rule,
    methods: rule.methods === null ? null : new Set(rule.methods),
    segments: rule.action === 'deny' ? lenient(segments) : segments,
    openEnd,
    address: isAddress ? rule.host : rule.address,
  };
}

/** Whether the request may leave. A rule that denies goes before all that allow; without a rule nothing leaves. `now` in seconds. */
export function decide(policy: Policy, request: EgressRequest, now = Date.now() / 1000): Decision {
  const host = readHost(request.host);
  const tunnel = request.method === 'CONNECT';
  const path = tunnel ? [] : readPath(request.path);
  const { port } = request;
  const rightPort = Number.isInteger(port) && port > 0 && port < 65_536;
  if (host === null || path === null || !METHOD.test(request.method) || !rightPort)
    return { decision: 'deny', reason: 'malformed', rule: null };
  if (!tunnel && !sameNames(host, request)) return { decision: 'deny', reason: 'names-differ', rule: null };
  const { target, open } = readTarget(host, request.address);
  const bare = lenient(path);
  let unreachable: Ready | undefined;
  let allowing: Ready | undefined;
  for (const each of rulesFor(policy, host)) {
    const { rule } = each;
    if (rule.project !== null && rule.project !== request.project) continue;
    if (rule.runKind !== null && rule.runKind !== request.runKind) continue;
    if (!portFits(rule, request, tunnel)) continue;
    if (rule.action === 'allow') {
      if (allowing !== undefined || !(tunnel || covers(each, request.method, path))) continue;
      if (each.address === null ? open : each.address === target) allowing = each;
      else unreachable ??= each;
    } else if (each.address === null || each.address === target) {
      if (tunnel ? coversAll(each) : covers(each, request.method, bare))
        return { decision: 'deny', reason: 'rule', rule: each.text };
    }
  }
  if (allowing !== undefined) return { decision: 'allow', reason: 'rule', rule: allowing.text };
  if (open && recorded(policy, request.project, now))
    return { decision: 'allow', reason: 'recording', rule: null };
  if (unreachable !== undefined)
    return { decision: 'deny', reason: 'private-address', rule: unreachable.text };
  return { decision: 'deny', reason: 'no-rule', rule: null };
}

/** The rules whose host is, or covers, this one. */
function* rulesFor({ rules }: Policy, { value, isAddress }: Host): Generator<Ready> {
  yield* rules.get(value) ?? [];
  if (isAddress) return;
  let dot = value.indexOf('.');
  if (dot >= 0) yield* rules.get(`*${value.slice(dot)}`) ?? [];
  for (; dot >= 0; dot = value.indexOf('.', dot + 1)) yield* rules.get(`**${value.slice(dot)}`) ?? [];
  yield* rules.get('**') ?? [];
}

function portFits(rule: Rule, { scheme, port }: EgressRequest, tunnel: boolean): boolean {
  if (rule.port !== null) return rule.port === port;
  return rule.action === 'deny' || port === DEFAULT_PORTS[scheme] || (tunnel && port === DEFAULT_PORTS.http);
}

/** Whether all that could go through a tunnel would be covered. */
function coversAll({ methods, openEnd, segments }: Ready): boolean {
  return methods === null && openEnd && segments.length === 0;
}

function covers({ methods, segments, openEnd }: Ready, method: string, path: string[]): boolean {
  if (methods !== null && !methods.has(method)) return false;
  if (path.length < segments.length || (path.length > segments.length && !openEnd)) return false;
  return segments.every((wanted, index) => {
    const segment = path[index]!;
    return wanted === segment || (wanted === '*' && segment !== '' && !segment.startsWith(';'));
  });
}

function recorded({ recording }: Policy, project: string | null, now: number): boolean {
  return project !== null && now < (recording[project] ?? 0);
}

/** Whether all that names the far side names the same; who asks for an address sends no TLS server name. */
function sameNames({ value, isAddress }: Host, { scheme, hostHeader, sni, port }: EgressRequest): boolean {
  if (hostHeader === null) return false;
  const header = splitPort(hostHeader);
  if (readHost(header.host)?.value !== value || (header.port !== null && header.port !== port)) return false;
  if (scheme === 'http' || isAddress) return sni === null;
  return sni !== null && readHost(sni)?.value === value;
}

/** Where the connection will go, and whether that is public; who asks for an address must be led to that one. */
export function readTarget(host: Host, address: string | null): { target: string | null; open: boolean } {
  let target = address === null ? null : readAddress(address);
  if (host.isAddress) target = address === null || target === host.value ? host.value : null;
  return { target, open: target !== null && isPublic(target) };
}
