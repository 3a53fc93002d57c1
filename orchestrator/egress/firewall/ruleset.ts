// The rules of the firewall as nftables reads them: one table of our own. Pure; used by firewall.ts.
import type { FirewallPlan, OpenPort } from './plan.ts';

export const TABLE = 'autocode-egress';

/** Addresses at which clouds tell a machine its secrets; that of IPv6 goes with all of IPv6. */
const METADATA = ['100.100.100.200', '168.63.129.16', '169.254.0.0/16', '192.0.0.192'];

interface Chain {
  name: string;
  hook: string;
  /** Each rule with the words that `egress firewall check` calls it by. */
  rules: [rule: string, comment: string][];
}

/**
 * All of it. Packets of workers meet `early` first, then, if they open a connection, `to_proxy`; what is for this host by then meets
 * `input`, all else `forward`. A later chain of somebody else may still drop what is accepted here.
 */
export function rulesetOf(plan: FirewallPlan): string {
  const { transparentPort, resolverPort } = plan;
  const sets = [
    set('workers', 'ifname', plan.interfaces.map((name) => JSON.stringify(name)).toSorted()),
    set('metadata', 'ipv4_addr; flags interval', METADATA),
    set('open_tcp', 'inet_service', portsOf(plan.open, 'tcp')),
    set('open_udp', 'inet_service', portsOf(plan.open, 'udp')),
  ];
  const others: [string, string] = ['iifname != @workers accept', 'not from workers'];
  const chains: Chain[] = [
    {
      name: 'early',
      hook: 'filter hook prerouting priority mangle',
      rules: [
        others,
        ['meta nfproto ipv6 counter drop', 'IPv6'],
        ['ip daddr @metadata counter drop', 'metadata of clouds'],
      ],
    },
    {
      name: 'to_proxy',
      hook: 'nat hook prerouting priority -110', // before whatever else looks for a place for port 443
      rules: [
        others,
        ['fib daddr type local tcp dport @open_tcp accept', 'open TCP ports of this host'],
        ['fib daddr type local udp dport @open_udp accept', 'open UDP ports of this host'],
        [`tcp dport { 80, 443 } counter redirect to :${transparentPort}`, 'web servers: to the proxy'],
        [
          `meta l4proto { tcp, udp } th dport 53 counter redirect to :${resolverPort}`,
          'names: to the resolver',
        ],
      ],
    },
    {
      name: 'input',
      hook: 'filter hook input priority -10',
      rules: [
        [
          `iifname != @workers meta l4proto { tcp, udp } th dport { ${transparentPort}, ${resolverPort} } drop`,
          'the proxy and the resolver are for workers',
        ],
        others,
        ['ct state established ct direction reply accept', 'answers to this host'],
        ['meta l4proto icmp ct state related accept', 'errors of connections that are allowed'],
        [
          `meta l4proto { tcp, udp } th dport { ${transparentPort}, ${resolverPort} } ct status dnat accept`,
          'what was redirected',
        ],
        ['tcp dport @open_tcp accept', 'open TCP ports'],
        ['udp dport @open_udp accept', 'open UDP ports'],
        ['counter drop', 'other ports of this host'],
      ],
    },
    {
      name: 'forward',
      hook: 'filter hook forward priority -10',
      rules: [['iifname @workers counter drop', 'to elsewhere past the proxy']],
    },
  ];
  return [`table inet ${TABLE} {`, ...sets, ...chains.flatMap(drawChain), '}', ''].join('\n');
}

/** The same in place of what is there, in one transaction: at no time is there less than one of them. */
export function replacing(ruleset: string): string {
  return `table inet ${TABLE}\n${removing()}${ruleset}`;
}

/** The end of it. */
export function removing(): string {
  return `delete table inet ${TABLE}\n`;
}

function set(name: string, type: string, elements: string[]): string {
  const content = elements.length === 0 ? '' : `; elements = { ${elements.join(', ')} }`;
  return `  set ${name} { type ${type}${content}; }`;
}

function portsOf(open: OpenPort[], protocol: OpenPort['protocol']): string[] {
  const ports = new Set(open.filter((each) => each.protocol === protocol).map(({ port }) => port));
  return [...ports].toSorted((a, b) => a - b).map(String);
}

function drawChain({ name, hook, rules }: Chain): string[] {
  return [
    `  chain ${name} {`,
    `    type ${hook}; policy accept;`,
    ...rules.map(([rule, comment]) => `    ${rule} comment "${comment}"`),
    '  }',
  ];
}
