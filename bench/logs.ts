// 200 runs write their logs at once: from a line written to the SSE client that reads it, and how much a second.
// The writers are the runner's own shipper, in a thread of their own; the readers hold one event stream a run.
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval as every } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { runApi } from '../worker-agent/runner/api.ts';
import { LogShipper } from '../worker-agent/runner/log-shipper.ts';
import type { WorkOrder } from '../protocol/worker.ts';
import { benchDaemon, percentile, pssMb, type BenchDaemon } from './support/measure.ts';
import { report } from './report.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';

const RUNS = Number(process.argv[2] ?? 200);
const SECONDS = Number(process.argv[3] ?? 20);
const BYTES_A_SECOND = 10.5e6;
const LINE_BYTES = 1024;
const PADDING = 'the quick brown fox jumps over the lazy dog, again and again and '.repeat(20);

type Order = Pick<WorkOrder, 'run' | 'fence' | 'runToken'>;
type Written = Record<string, { bytes: number; sha256: string }>;

if (isMainThread) await main();
else parentPort!.postMessage(await write(workerData as { url: string; orders: Order[] }));

async function main(): Promise<void> {
  await using daemon = await benchDaemon();
  const orders = await claimRuns(daemon, RUNS);
  const latencies: number[] = [];
  const readers = orders.map(({ run }) => readLines(daemon, run, latencies));
  await Promise.all(readers.map((reader) => reader.open));
  let memory = 0;
  const sampler = setInterval(() => (memory = Math.max(memory, pssMb(daemon.pid))), 500);
  const began = performance.now();
  const written = await fromThread({ url: daemon.url, orders });
  const seconds = (performance.now() - began) / 1000;
  clearInterval(sampler);
  let damaged = 0;
  for (const [i, { run, fence, runToken }] of orders.entries()) {
    const end = written[run]!;
    // The digest is compared by the daemon; the end of the run ends the readers.
    const answer = await fetch(`${daemon.url}/api/v1/runs/${run}/finish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${runToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        fence,
        outcome: 'no-change',
        logs: { events: end, raw: { bytes: 0, sha256: createHash('sha256').digest('hex') } },
      }),
    });
    if (!answer.ok || (await readers[i]!.sha256) !== end.sha256) damaged++;
  }
  const bytes = Object.values(written).reduce((sum, end) => sum + end.bytes, 0);
  console.error(
    `${RUNS} runs, ${latencies.length} lines, ${(bytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s; p90 ${percentile(latencies, 0.9).toFixed(0)} ms, longest ${percentile(latencies, 1).toFixed(0)} ms`,
  );
  report('logs', [
    { name: 'line written to SSE client, p50', value: percentile(latencies, 0.5), unit: 'ms', atMost: 150 },
    { name: 'line written to SSE client, p99', value: percentile(latencies, 0.99), unit: 'ms', atMost: 1000 },
    {
      name: 'sustained, until the last byte is acknowledged',
      value: bytes / 1e6 / seconds,
      unit: 'MB/s',
      atLeast: 10,
    },
    { name: 'daemon, proportional set size, most', value: memory, unit: 'MB', atMost: 300 },
    {
      name: 'streams that are not identical as stored and as read',
      value: damaged,
      unit: 'streams',
      atMost: 0,
    },
  ]);
}

/** Claimed runs, each of a project of its own. */
async function claimRuns(daemon: BenchDaemon, count: number): Promise<Order[]> {
  await daemon.api('PUT', '/workers/bench', {
    protocol: PROTOCOL_VERSION,
    version: '1',
    capacity: count,
    agents: [],
    isolations: ['bubblewrap', 'directory'],
    host: 'bench',
  });
  const orders: Order[] = [];
  for (let i = 0; i < count; i++) {
    const name = `p${i}`;
    await daemon.api('POST', '/projects', { name, trusted: true, agent: 'command', agentCommand: ['true'] });
    await daemon.api('POST', '/tasks', { project: name, title: 'log' });
    const { run, fence, runToken } = await daemon.api<WorkOrder>('POST', '/workers/bench/claim', {
      claimId: randomUUID(),
      waitSeconds: 0,
    });
    orders.push({ run, fence, runToken });
  }
  return orders;
}

/** Follows a run's log to its end; each line says when it was written. */
function readLines(
  { url, adminToken }: BenchDaemon,
  run: string,
  latencies: number[],
): { open: Promise<void>; sha256: Promise<string> } {
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  const hash = createHash('sha256');
  const headers = { authorization: `Bearer ${adminToken}`, accept: 'text/event-stream' };
  http.get(`${url}/api/v1/runs/${run}/logs/events`, { headers }, (response) => {
    opened.resolve();
    let rest = '';
    response.setEncoding('utf8').on('data', (piece: string) => {
      const lines = (rest + piece).split('\n');
      rest = lines.pop()!;
      const now = performance.timeOrigin + performance.now();
      for (const line of lines) {
        if (line === 'event: end') ended.resolve(hash.digest('hex'));
        if (!line.startsWith('data: {')) continue;
        hash.update(`${line.slice(6)}\n`);
        latencies.push(now - Number(line.slice(11, line.indexOf(',', 11))));
      }
    });
    response.on('close', () => ended.reject(new Error(`the stream of ${run} broke off`)));
  });
  ended.promise.catch(() => {}); // told when it is asked for
  return { open: opened.promise, sha256: ended.promise };
}

async function fromThread(work: { url: string; orders: Order[] }): Promise<Written> {
  const thread = new Worker(import.meta.filename, { workerData: work, argv: process.argv.slice(2) });
  return await new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject));
}

/** The thread of the writers: every run writes its share of lines, evenly over the time. */
async function write({ url, orders }: { url: string; orders: Order[] }): Promise<Written> {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-bench-spool-'));
  const { signal } = new AbortController();
  const runs = orders.map((order) => {
    const file = join(directory, order.run);
    const failed = (error: unknown) => console.error(order.run, error);
    const descriptor = openSync(file, 'a');
    const shipper = new LogShipper({
      api: runApi({ url, order: order as WorkOrder, signal }),
      stream: 'events',
      file,
      failed,
    });
    return { run: order.run, descriptor, shipper, bytes: 0 };
  });
  const lines = Math.round((BYTES_A_SECOND * SECONDS) / LINE_BYTES);
  const began = performance.now();
  let written = 0;
  for await (const _ of every(10)) {
    const due = Math.min(lines, Math.round((lines * (performance.now() - began)) / (SECONDS * 1000)));
    for (; written < due; written++) {
      const run = runs[written % runs.length]!;
      const head = `{"t":${(performance.timeOrigin + performance.now()).toFixed(3)},"type":"output","text":"${written} `;
      run.bytes += writeSync(run.descriptor, `${head}${PADDING.slice(0, LINE_BYTES - head.length - 3)}"}\n`);
      run.shipper.grew(run.bytes);
    }
    if (written === lines) break;
  }
  const ends = await Promise.all(runs.map(async ({ run, shipper }) => [run, await shipper.end()] as const));
  for (const { descriptor } of runs) closeSync(descriptor);
  rmSync(directory, { recursive: true });
  return Object.fromEntries(ends);
}
