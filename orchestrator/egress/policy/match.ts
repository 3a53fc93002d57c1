// Which requests may leave: rules, made ready to be looked up by host, and the decision. The proxy decides by proxy-addon/policy.py,
// which does the same; proxy-addon/cases/policy.json proves it. Used by tests of the policy and by what is learnt.
import { isPublic, readAddress } from './address.ts';
import { readHost, splitPort, type Host } from './host.ts';
import { lenient, readPath } from './path.ts';
import { printRule, type Rule } from './rule.ts';

/** What wants to leave; texts as they come over the wire. */
export interface EgressRequest {
  /** What is spoken to the far side; of a CONNECT, https. `tls` asks whether TLS may go through without being looked into. */
  scheme: 'http' | 'https' | 'tls';
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
  address: string | null;
}

/** The rules of a host by their paths: what ends here, what goes on from here with anything, and what goes on by a segment. */
interface Paths {
  ending: Ready[];
  open: Ready[];
  below: Map<string, Paths>;
}

type Hosts = Map<string, Paths>;

/** The rules by the hosts that they are for, as these are written. */
export interface Policy {
  allowing: Hosts;
  denying: Hosts;
  passing: Hosts;
  /** Projects in record mode, and until when (seconds since 1970). */
  recording: Record<string, number>;
}

export const DEFAULT_PORTS = { http: 80, https: 443, tls: 443 };
const METHOD = /^[A-Z][A-Z-]{0,31}$/;

/** Makes rules ready. */
export function compilePolicy(rules: Rule[], recording: Record<string, number> = {}): Policy {
  const policy: Policy = { allowing: new Map(), denying: new Map(), passing: new Map(), recording };
  for (const rule of rules) addRule(policy, rule);
  return policy;
}

function addRule({ allowing, denying, passing }: Policy, rule: Rule): void {
  const isAddress = readHost(rule.host)?.isAddress === true;
  const ready: Ready = {
    text: printRule(rule),
    rule,
    methods: rule.methods === null ? null : new Set(rule.methods),
    address: isAddress ? rule.host : rule.address,
  };
  const segments = rule.path.slice(1).split('/');
  const openEnd = segments.at(-1) === '**';
  if (openEnd) segments.pop();
  const denies = rule.action === 'deny';
  const hosts = { allow: allowing, deny: denying, pass: passing }[rule.action];
  let paths = entry(hosts, rule.host);
  for (const segment of denies ? lenient(segments) : segments) paths = entry(paths.below, segment);
  (openEnd ? paths.open : paths.ending).push(ready);
}

function entry(map: Map<string, Paths>, key: string): Paths {
  const found = map.get(key) ?? { ending: [], open: [], below: new Map() };
  map.set(key, found);
  return found;
}

/** Whether the request may leave. A rule that denies goes before all that allow; without a rule nothing leaves. `now` in seconds. */
export function decide(policy: Policy, request: EgressRequest, now = Date.now() / 1000): Decision {
  const { method, port } = request;
  const host = readHost(request.host);
  const unseen = request.scheme === 'tls';
  const tunnel = method === 'CONNECT' || unseen;
  const path = tunnel ? [] : readPath(request.path);
  const rightPort = Number.isInteger(port) && port > 0 && port < 65_536;
  if (host === null || path === null || !METHOD.test(method) || !rightPort) return denied('malformed');
  if ((unseen || !tunnel) && !sameNames(host, request)) return denied('names-differ');
  const { target, open } = readTarget(host, request.address);
  for (const paths of pathsFor(policy.denying, host)) {
    for (const each of unseen ? all(paths) : tunnel ? whole(paths) : along(paths, lenient(path))) {
      if (applies(each, request, tunnel) && (each.address === null || each.address === target))
        return denied('rule', each);
    }
  }
  let unreachable: Ready | undefined;
  const letting = [
    ...(unseen ? [] : pathsFor(policy.allowing, host)),
    ...(tunnel ? pathsFor(policy.passing, host) : []),
  ];
  for (const paths of letting) {
    for (const each of tunnel ? all(paths) : along(paths, path)) {
      if (!applies(each, request, tunnel)) continue;
      if (each.address === null ? open : each.address === target)
        return { decision: 'allow', reason: 'rule', rule: each.text };
      unreachable ??= each;
    }
  }
  if (open && !unseen && recorded(policy, request.project, now))
    return { decision: 'allow', reason: 'recording', rule: null };
  return unreachable === undefined ? denied('no-rule') : denied('private-address', unreachable);
}

function denied(reason: Reason, rule?: Ready): Decision {
  return { decision: 'deny', reason, rule: rule?.text ?? null };
}

/** Of the host itself, and of all that cover it. */
function* pathsFor(hosts: Hosts, { value, isAddress }: Host): Generator<Paths> {
  const names = [value];
  if (!isAddress) {
    let dot = value.indexOf('.');
    if (dot >= 0) names.push(`*${value.slice(dot)}`);
    for (; dot >= 0; dot = value.indexOf('.', dot + 1)) names.push(`**${value.slice(dot)}`);
    names.push('**');
  }
  for (const name of names) {
    const paths = hosts.get(name);
    if (paths !== undefined) yield paths;
  }
}

/** The rules that cover a path. */
function* along({ open, ending, below }: Paths, path: string[], index = 0): Generator<Ready> {
  yield* open;
  const segment = path[index];
  if (segment === undefined) {
    yield* ending;
    return;
  }
  const same = below.get(segment);
  if (same !== undefined) yield* along(same, path, index + 1);
  const any = segment === '' || segment.startsWith(';') ? undefined : below.get('*');
  if (any !== undefined) yield* along(any, path, index + 1);
}

/** The rules that cover whatever goes through a tunnel. */
function whole({ open }: Paths): Ready[] {
  return open.filter(({ methods }) => methods === null);
}

/** The rules that cover something of what goes through a tunnel. */
function* all({ open, ending, below }: Paths): Generator<Ready> {
  yield* open;
  yield* ending;
  for (const paths of below.values()) yield* all(paths);
}

/** Whether the rule is for this method, port, project and kind of run. */
function applies({ rule, methods }: Ready, request: EgressRequest, tunnel: boolean): boolean {
  const { method, port, scheme, project, runKind } = request;
  if (!tunnel && methods?.has(method) === false) return false;
  if (rule.project !== null && rule.project !== project) return false;
  if (rule.runKind !== null && rule.runKind !== runKind) return false;
  if (rule.port !== null) return rule.port === port;
  if (rule.action === 'deny') return true;
  if (rule.action === 'pass') return scheme !== 'http' && port === DEFAULT_PORTS.tls;
  return port === DEFAULT_PORTS[scheme] || (tunnel && port === DEFAULT_PORTS.http);
}

function recorded({ recording }: Policy, project: string | null, now: number): boolean {
  return project !== null && now < (recording[project] ?? 0);
}

/** Whether all that names the far side names the same; who asks for an address sends no TLS server name. */
function sameNames({ value, isAddress }: Host, { scheme, hostHeader, sni, port }: EgressRequest): boolean {
  if (scheme !== 'tls') {
    if (hostHeader === null) return false;
    const header = splitPort(hostHeader);
    if (readHost(header.host)?.value !== value || (header.port !== null && header.port !== port))
      return false;
  }
  if (scheme === 'http' || isAddress) return sni === null;
  return sni !== null && readHost(sni)?.value === value;
}

/** Where the connection will go, and whether that is public; who asks for an address must be led to that one. */
export function readTarget(host: Host, address: string | null): { target: string | null; open: boolean } {
  let target = address === null ? null : readAddress(address);
  if (host.isAddress) target = address === null || target === host.value ? host.value : null;
  return { target, open: target !== null && isPublic(target) };
}
