// How fast records of traffic go from the spool to Elasticsearch, and how long questions take there: a real server, a spool of ten days.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditSettings } from '../../orchestrator/config/audit-settings.ts';
import { openSearch, type Search } from '../../orchestrator/egress/audit/client.ts';
import { reportIndexed, searchIndexed } from '../../orchestrator/egress/audit/questions.ts';
import { setUpAudit } from '../../orchestrator/egress/audit/setup.ts';
import { shipOnce } from '../../orchestrator/egress/audit/ship.ts';
import { spoolReader } from '../../orchestrator/egress/traffic/spool-reader.ts';
import { testDatabase } from '../../test/support/database.ts';
import { installation, startElasticsearch } from '../../test/support/elasticsearch.ts';
import { percentile } from './measure.ts';

const DAYS = 10;
const DAY_MS = 86_400_000;
const FIRST_MS = Date.parse('2026-11-01T00:00:00Z');
const ROUNDS = 30;
const AT_ONCE = 5_000;

export interface AuditCost {
  shippedPerSecond: number;
  /** Of pages of 100 records by all kinds of filters, and of sums of a day, ms. */
  searchP95: number;
  /** Of sums over all records, ms. */
  reportMedian: number;
}

/** Null where there is no Elasticsearch to measure with. */
export async function auditCost(records: number): Promise<AuditCost | null> {
  if (installation() === undefined) return null;
  const spool = mkdtempSync(join(tmpdir(), 'autocode-bench-spool-'));
  try {
    await using server = await startElasticsearch({ heapMb: 1024, brief: false });
    await using db = await testDatabase();
    const search = openSearch(AuditSettings.parse({ url: server.url }), {
      get: async () => undefined,
    } as never);
    writeSpool(spool, records);
    await setUpAudit(search);
    const options = {
      db: db.pool,
      search,
      reader: spoolReader(db.pool, 'elasticsearch', spool),
      rejected: join(spool, 'rejected'),
      signal: new AbortController().signal,
    };
    const began = performance.now();
    while (await shipOnce({ ...options, told() {} }));
    const shippedPerSecond = records / ((performance.now() - began) / 1000);
    await server.call('POST', '/autocode-traffic/_refresh');
    const { count } = (await server.call('GET', '/autocode-traffic/_count')).body as { count: number };
    if (count !== records) throw new Error(`${count} of ${records} records came`);
    const measured = { shippedPerSecond, ...(await searchTimes(search)) };
    await search.close();
    return measured;
  } finally {
    rmSync(spool, { recursive: true });
  }
}

async function searchTimes(search: Search): Promise<Omit<AuditCost, 'shippedPerSecond'>> {
  const times: Record<string, number[]> = {};
  for (let round = -3; round < ROUNDS; round++) {
    const day = new Date(FIRST_MS + (Math.abs(round) % DAYS) * DAY_MS).toISOString();
    const next = new Date(Date.parse(day) + DAY_MS).toISOString();
    const questions: Record<string, () => Promise<unknown>> = {
      last: () => searchIndexed(search, { limit: 100 }),
      run: () => searchIndexed(search, { run: `${Math.abs(round)}-1`, limit: 100 }),
      'project and decision': () =>
        searchIndexed(search, { project: `p${Math.abs(round) % 20}`, decision: 'denied', limit: 100 }),
      host: () => searchIndexed(search, { host: '*.example', since: day, until: next, limit: 100 }),
      bytes: () => searchIndexed(search, { bytes: 5_000_000 - Math.abs(round), limit: 100 }),
      text: () => searchIndexed(search, { text: `items/${1000 + Math.abs(round)}`, limit: 100 }),
      'report of a day': () => reportIndexed(search, { since: day, until: next }, 'host'),
      'report of all': () => reportIndexed(search, {}, 'worker'),
    };
    for (const [name, ask] of Object.entries(questions)) {
      const began = performance.now();
      await ask();
      if (round >= 0) (times[name] ??= []).push(performance.now() - began);
    }
  }
  for (const [name, taken] of Object.entries(times))
    console.error(
      `  ${name}: median ${percentile(taken, 0.5).toFixed(0)} ms, p95 ${percentile(taken, 0.95).toFixed(0)} ms`,
    );
  const { 'report of all': all = [], ...others } = times;
  return { searchP95: percentile(Object.values(others).flat(), 0.95), reportMedian: percentile(all, 0.5) };
}

/** Records as the proxy writes them, evenly over the days. */
function writeSpool(directory: string, records: number): void {
  let hour = '';
  let lines: string[] = [];
  const flush = () => {
    if (lines.length > 0) appendFileSync(join(directory, `${hour}.jsonl`), lines.join(''));
    lines = [];
  };
  for (let index = 0; index < records; index++) {
    const at = new Date(FIRST_MS + Math.floor((index / records) * DAYS * DAY_MS)).toISOString();
    if (at.slice(0, 13) !== hour || lines.length >= AT_ONCE) flush();
    hour = at.slice(0, 13);
    lines.push(`${JSON.stringify(recordOf(index, at))}\n`);
  }
  flush();
}

function recordOf(index: number, at: string): object {
  const host = `h${index % 500}.example`;
  const denied = index % 23 === 0;
  return {
    id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    at,
    run: `${Math.floor(index / 200)}-1`,
    task: Math.floor(index / 200),
    project: `p${index % 20}`,
    kind: 'change',
    worker: `w${index % 40}`,
    client: '10.0.0.5',
    method: index % 10 === 0 ? 'POST' : 'GET',
    scheme: 'https',
    host,
    port: 443,
    url: `https://${host}/v1/items/${index}?page=${index % 7}`,
    address: '93.184.216.34',
    decision: denied ? 'denied' : 'allowed',
    rule: denied ? null : `allow method=GET host=${host} path=/v1/items/*`,
    reason: denied ? 'no-rule' : 'rule',
    allowedBy: denied ? `allow method=GET host=${host} path=/v1/items/${index}` : null,
    policy: '7-1f0c2d7a',
    event: 'close',
    status: denied ? 403 : 200,
    http: 'HTTP/1.1',
    tls: 'TLSv1.3',
    upstreamTls: denied ? null : 'TLSv1.3',
    requestHeaders: [
      ['host', host],
      ['accept', '*/*'],
      ['user-agent', 'node'],
      ['authorization', '[redacted]'],
    ],
    responseHeaders: [
      ['content-type', 'application/json'],
      ['content-length', String(index % 9_000)],
      ['server', 'nginx'],
    ],
    bytesOut: index % 700,
    bytesIn: (index * 7919) % 5_000_001,
    durationMs: (index % 900) / 10,
    error: null,
  };
}
