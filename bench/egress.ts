// How long a decision of the egress policy takes with 1,000 rules, in the proxy and in the orchestrator: of many hosts, of one host
// with as many paths, of every host; what the add-ons cost the proxy; and how fast records are shipped to Elasticsearch and found there
// (`--records N`: of 1,000,000).
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compilePolicy, decide, type EgressRequest } from '../orchestrator/egress/policy/match.ts';
import { requireRules } from '../orchestrator/egress/policy/parse.ts';
import { report, type Measurement } from './report.ts';
import { auditCost } from './support/audit-cost.ts';
import { percentile } from './support/measure.ts';
import { proxyCost } from './support/proxy-cost.ts';

const RULES = 1_000;
const ROUNDS = 10;
const MOST_US = 50;
const PYTHON = join(import.meta.dirname, 'support/policy-decisions.py');

const numbers = Array.from({ length: RULES }, (_, index) => index);
const policies: Record<
  string,
  { rule(index: number): string; request(index: number): Partial<EgressRequest> }
> = {
  'many hosts': {
    rule: (index) =>
      index % 50 === 0
        ? `deny host=**.bad${index}.example`
        : `allow method=GET host=h${index}.example path=/v1/items/*`,
    request: (index) => ({ host: `h${index}.example`, path: `/v1/items/${index}?page=1` }),
  },
  'one host': {
    rule: (index) => `allow method=GET host=h.example path=/org/pkg${index}/**`,
    request: (index) => ({ host: 'h.example', path: `/org/pkg${index}/-/pkg-${index}.tgz` }),
  },
  'every host': {
    rule: (index) => `deny host=** path=/x${index}/*/y`,
    request: (index) => ({ host: `a.b.h${index}.example`, path: `/x${index + 1}/z` }),
  },
};

const measured = Object.entries(policies).flatMap(([name, { rule, request }]): Measurement[] => {
  const rules = numbers.map(rule);
  const requests = numbers.map((index): EgressRequest => {
    const { host = '', path = '/' } = request(index);
    const shape = { scheme: 'https', method: 'GET', port: 443, address: '1.1.1.1' } as const;
    return { ...shape, host, path, sni: host, hostHeader: host, project: 'shop', runKind: 'change' };
  });
  const input = JSON.stringify({ rules, requests, rounds: ROUNDS });
  const proxy = JSON.parse(execFileSync('python3', [PYTHON], { input, encoding: 'utf8' })) as {
    median: number;
    p99: number;
  };
  const own = taken(rules, requests);
  console.error(
    `${name}: proxy ${proxy.median.toFixed(1)} µs (p99 ${proxy.p99.toFixed(1)}), orchestrator ${own.median.toFixed(1)} µs (p99 ${own.p99.toFixed(1)})`,
  );
  return [
    { name: `proxy, ${RULES} rules of ${name}, median`, value: proxy.median, unit: 'µs', atMost: MOST_US },
    {
      name: `orchestrator, ${RULES} rules of ${name}, median`,
      value: own.median,
      unit: 'µs',
      atMost: MOST_US,
    },
  ];
});

const cost = await proxyCost();
if (cost === null) console.error('the proxy is left out: ./scripts/servers/mitmproxy/install --development');
else {
  const { cpuWithout, cpuWith, cpu, memory } = cost;
  console.error(
    `a request: ${cpuWithout.toFixed(2)} ms of CPU without add-ons, ${cpuWith.toFixed(2)} ms with`,
  );
  measured.push(
    { name: 'proxy, CPU of a request with add-ons', value: cpu, unit: 'times', atMost: 1.15 },
    { name: 'proxy, memory with add-ons', value: memory, unit: 'times', atMost: 1.1 },
  );
}
const { values } = parseArgs({ options: { records: { type: 'string', default: '1000000' } } });
const audit = await auditCost(Number(values.records));
if (audit === null) console.error('the audit is left out: ./scripts/servers/elasticsearch/install');
else
  measured.push(
    { name: 'audit, records shipped in a second', value: audit.shippedPerSecond, unit: '/s', atLeast: 5_000 },
    {
      name: `audit, search over ${values.records} records, p95`,
      value: audit.searchP95,
      unit: 'ms',
      atMost: 500,
    },
  );
report('egress', measured);

function taken(rules: string[], requests: EgressRequest[]): { median: number; p99: number } {
  const policy = compilePolicy(requireRules(rules.join('\n'), new Map()));
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const request of requests) {
      const began = performance.now();
      decide(policy, request, 0);
      if (round > 0) times.push(1_000 * (performance.now() - began));
    }
  }
  return { median: percentile(times, 0.5), p99: percentile(times, 0.99) };
}
