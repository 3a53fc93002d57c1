// From a task that was created to the worker that has it, beside two other queues on the same durable PostgreSQL; claims a
// second with every rule on; and whether claims stay as fast when 100,000 tasks wait.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../orchestrator/db/supervisor.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { WorkOrder } from '../protocol/worker.ts';
import { benchDaemon, percentile, type BenchDaemon } from './support/measure.ts';
import { bareQueue, graphileQueue, type Queue } from './peers/queues.ts';
import { report } from './report.ts';

const LATENCIES = 150;
const MANY = 1_000;
const CONCURRENCY = 10;
const FEW_WAIT = 100;
const MANY_WAIT = 100_000;
const CLAIMS = 100;

const directory = mkdtempSync(join(tmpdir(), 'autocode-bench-pg-'));
const postgres = await startPostgres({ cluster: join(directory, 'cluster'), url: undefined, log: () => {} });
try {
  await using daemon = await benchDaemon(`database.url=${postgres.url}`);
  const admin = new pg.Pool({ connectionString: postgres.url, max: 1 });
  admin.on('error', () => {}); // the server is stopped when something failed
  await prepare(daemon);
  const peers = {
    bare: await peer(admin, 'bare', bareQueue),
    graphile: await peer(admin, 'graphile', graphileQueue),
  };
  const own = { p50: await ownLatency(daemon), rate: await ownRate(daemon, admin) };
  const wide = await ownRatio(daemon, admin, 'wide');
  const deep = await ownRatio(daemon, admin, 'deep');
  await admin.end();
  for (const [name, { p50, rate }] of Object.entries({ ...peers, autocode: own })) {
    console.error(
      `${name.padEnd(9)} created → in hand p50 ${p50.toFixed(1)} ms; ${rate.toFixed(0)} jobs/s, ${CONCURRENCY} at a time`,
    );
  }
  report('dispatch', [
    {
      name: 'created to in the hands of a worker, p50, above the bare loop',
      value: own.p50 - peers.bare.p50,
      unit: 'ms',
      atMost: 10,
    },
    { name: 'claims with all rules on', value: own.rate, unit: '1/s', atLeast: 100 },
    { name: `claim with ${MANY_WAIT} queued, against ${FEW_WAIT}`, value: wide, unit: 'times', atMost: 1.5 },
    {
      name: `claim with ${MANY_WAIT} behind one repository, against ${FEW_WAIT}`,
      value: deep,
      unit: 'times',
      atMost: 1.5,
    },
  ]);
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function peer(
  admin: pg.Pool,
  name: string,
  open: (url: string) => Promise<Queue>,
): Promise<{ p50: number; rate: number }> {
  await admin.query(`create database ${name}`);
  const url = postgres.url.replace(/@\/[^?]*|(?<=\/)postgres(?=\?|$)/, (found) =>
    found.startsWith('@') ? `@/${name}` : name,
  );
  const queue = await open(url);
  await queue.addMany(MANY);
  let left = MANY;
  const all = Promise.withResolvers<void>();
  let taken = () => {
    if (--left === 0) all.resolve();
  };
  const began = performance.now();
  await queue.start(() => taken(), CONCURRENCY);
  await all.promise;
  const rate = (MANY / (performance.now() - began)) * 1000;
  const times: number[] = [];
  for (let i = 0; i < LATENCIES; i++) {
    const inHand = Promise.withResolvers<number>();
    taken = () => inHand.resolve(performance.now());
    await queue.add();
    const created = performance.now();
    times.push(Math.max(0, (await inHand.promise) - created));
  }
  await queue.stop();
  return { p50: percentile(times, 0.5), rate };
}

async function prepare(daemon: BenchDaemon): Promise<void> {
  await daemon.api('POST', '/projects', {
    name: 'seed',
    trusted: true,
    agent: 'command',
    agentCommand: ['true'],
  });
  for (let i = 0; i < CONCURRENCY; i++) {
    await daemon.api('PUT', `/workers/w${i}`, {
      protocol: PROTOCOL_VERSION,
      version: '1',
      capacity: 1000,
      agents: [],
      isolations: ['bubblewrap', 'directory'],
      host: 'bench',
    });
  }
}

async function claim(daemon: BenchDaemon, worker: string, waitSeconds = 0): Promise<WorkOrder | null> {
  return await daemon.api<WorkOrder | null>('POST', `/workers/${worker}/claim`, {
    claimId: randomUUID(),
    waitSeconds,
  });
}

/** Ends a run, so that its repository is free. */
async function finish({ url }: BenchDaemon, { run, fence, runToken }: WorkOrder): Promise<void> {
  const answer = await fetch(`${url}/api/v1/runs/${run}/finish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${runToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ fence, outcome: 'no-change' }),
  });
  if (!answer.ok) throw new Error(`finish ${run}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

async function ownLatency(daemon: BenchDaemon): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < LATENCIES; i++) {
    const waiting = claim(daemon, 'w0', 30).then((order) => ({ order: order!, at: performance.now() }));
    await daemon.api('GET', '/workers'); // the poll is there by now
    await daemon.api('POST', '/tasks', { project: 'seed', title: 'dispatch' });
    const created = performance.now();
    const { order, at } = await waiting;
    times.push(Math.max(0, at - created));
    await finish(daemon, order);
  }
  return percentile(times, 0.5);
}

async function ownRate(daemon: BenchDaemon, admin: pg.Pool): Promise<number> {
  await queueTasks(admin, 'wide', MANY);
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async (_, i) => {
      while ((await claim(daemon, `w${i}`)) !== null);
    }),
  );
  return (MANY / (performance.now() - began)) * 1000;
}

/** How much longer a claim takes when many wait than when few do. */
async function ownRatio(daemon: BenchDaemon, admin: pg.Pool, shape: 'wide' | 'deep'): Promise<number> {
  const p50: number[] = [];
  for (const count of [FEW_WAIT, MANY_WAIT]) {
    await queueTasks(admin, shape, count);
    const times: number[] = [];
    for (let i = 0; i < Math.min(CLAIMS, count); i++) {
      const began = performance.now();
      const order = await claim(daemon, 'w0');
      times.push(performance.now() - began);
      if (shape === 'deep') await finish(daemon, order!);
    }
    p50.push(percentile(times, 0.5));
    console.error(`${shape}: claim p50 ${p50.at(-1)!.toFixed(1)} ms with ${count} waiting`);
  }
  return p50[1]! / p50[0]!;
}

/** Makes so many tasks that wait, as if they had come one by one: each at a repository of its own, or all behind one. */
async function queueTasks(admin: pg.Pool, shape: 'wide' | 'deep', count: number): Promise<void> {
  await admin.query(`delete from token where run is not null`);
  for (const table of ['repository_claim', 'log_stream', 'run', 'task_repository', 'task', 'event'])
    await admin.query(`delete from ${table}`);
  await admin.query(`delete from repository where project in (select id from project where name <> 'seed')`);
  await admin.query(`delete from project where name <> 'seed'`);
  const repositories = shape === 'wide' ? count : 1;
  await admin.query(
    `insert into project (name, agent, agent_command, trusted) select 'p' || i, 'command', '["true"]', true from generate_series(1, $1) i`,
    [repositories],
  );
  await admin.query(
    `insert into repository (project, name, origin, hosted, default_branch) select id, name, '/nowhere', true, 'main' from project where name <> 'seed'`,
  );
  await admin.query(
    `with made as (
       insert into task (project, title, body, agent, agent_command, model, state, pending_reason, order_key, created_by)
       select p.id, 'task', '', 'command', '["true"]', '', case when i = 1 then 'queued' else 'pending' end,
         case when i > 1 then 'repository' end, now() + i * interval '1 millisecond', 'bench'
       from project p, generate_series(1, $1) i where p.name <> 'seed' returning id, project, order_key)
     insert into task_repository (task, repository, position, base_branch, order_key, waiting)
       select made.id, r.id, 1, 'main', order_key, true from made join repository r using (project)`,
    [count / repositories],
  );
  await admin.query('vacuum analyze');
}
