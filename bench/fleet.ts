// A fleet of four VMs by a real Nomad: how long until a run is on its way in each mode, what an idle worker takes, 200 runs
// (--runs N: fewer). Needs root.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { Event } from '../protocol/event.ts';
import { eventually } from '../test/e2e/appliance.ts';
import { CLAIMER, fileOf, SERVICE, startFleet, type Fleet } from '../test/support/fleet.ts';
import { report } from './report.ts';
import { middle, percentile, togetherMb } from './support/measure.ts';
import { gvisorGoals, medianStarts, openSandboxStarts } from './support/sandbox-starts.ts';

const VMS = 4;
const LANES = 4;
/** One after the other: four VMs share the processors of this machine, and runs take what there is of them. */
const SINGLES = 30;
const DISPATCHES = 15;
const SETTLE_MS = 10_000;
const PATIENCE_MS = 120_000;
const RUN_JOB = 'autocode-run';
const AGENT = 'echo 42 > answer';

const { values } = parseArgs({ options: { runs: { type: 'string' } } });
const runs = z.coerce.number().int().positive().default(200).parse(values.runs);
const limits = ['admin', 'worker', 'run'].map((role) => `api.rateLimit.${role}=10000000`);
const fleet = await startFleet(VMS, ...limits);
const { appliance, cluster } = fleet;
const over = new AbortController();
const seen = await watch(over.signal);
let memory: { claimer: number; service: number; together: number };
let singles: number[];
let service: { times: number[]; succeeded: number };
let dispatch: { own: number[]; bare: number[] };
try {
  memory = await idleMemory(fleet);
  for (let lane = 0; lane < LANES; lane++) await addProject(`lane-${lane}`, 'service');
  singles = [];
  for (let i = 0; i < SINGLES; i++) singles.push((await toItsEnd('lane-0')).leasedAfter);
  service = await serviceMode();
  dispatch = await dispatchMode();
} finally {
  over.abort();
  await fleet[Symbol.asyncDispose]();
}
const sandbox = await medianStarts(openSandboxStarts);
const gvisor = await gvisorGoals();

const ms = (times: number[]) =>
  `${middle(times).toFixed(0)} ms, p95 ${percentile(times, 0.95).toFixed(0)} ms`;
console.error(
  `service mode, queued → leased: p50 ${ms(singles)}; with ${LANES} at a time ${ms(service.times)}`,
);
console.error(
  `dispatch mode, queued → task started: p50 ${ms(dispatch.own)}; Nomad alone: ${ms(dispatch.bare)}`,
);
console.error(
  `idle: claimer ${memory.claimer.toFixed(0)} MB, runner service ${memory.service.toFixed(0)} MB; ${memory.together.toFixed(0)} MB together, what they share counted once`,
);
console.error(`sandbox: bare ${sandbox.bare.toFixed(1)} ms, an agent's ${sandbox.own.toFixed(1)} ms`);
report('fleet', [
  {
    name: 'queued to leased in service mode, p50',
    value: middle(singles),
    unit: 'ms',
    atMost: 50,
  },
  {
    name: `of ${runs} tasks on ${VMS} VMs, succeeded at once`,
    value: service.succeeded,
    unit: 'runs',
    atLeast: runs,
  },
  {
    name: "dispatch mode over Nomad's own dispatch, p50",
    value: (middle(dispatch.own) / middle(dispatch.bare) - 1) * 100,
    unit: '%',
    atMost: 20,
  },
  { name: 'idle claimer, resident', value: memory.claimer, unit: 'MB', atMost: 90 },
  { name: 'idle runner service, resident', value: memory.service, unit: 'MB', atMost: 90 },
  {
    name: 'start of an agent, beyond a bare bwrap, p50',
    value: sandbox.own - sandbox.bare,
    unit: 'ms',
    atMost: 20,
  },
  ...gvisor,
]);

interface Seen {
  /** When the first run of a task was leased. */
  leased: Map<number, number>;
  /** The job that was dispatched for a task. */
  dispatched: Map<number, string>;
}

/** Follows the events until the signal aborts. */
async function watch(signal: AbortSignal): Promise<Seen> {
  const found: Seen = { leased: new Map(), dispatched: new Map() };
  const run = path.join(appliance.dataDir, 'run');
  const { url } = JSON.parse(readFileSync(path.join(run, 'daemon.json'), 'utf8')) as { url: string };
  const token = readFileSync(path.join(run, 'admin-token'), 'utf8').trim();
  const answer = await fetch(`${url}/api/v1/events?kind=run.created,fleet.dispatched`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal,
  });
  const follow = async () => {
    let text = '';
    for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
      const lines = (text + piece).split('\n');
      text = lines.pop()!;
      for (const line of lines.filter((each) => each.startsWith('data: '))) {
        const { kind, task, data } = JSON.parse(line.slice('data: '.length)) as Event;
        if (task === null) continue;
        if (kind === 'fleet.dispatched') found.dispatched.set(task, String(data.job));
        else if (!found.leased.has(task)) found.leased.set(task, performance.now());
      }
    }
  };
  follow().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return found;
}

/** Of the first VM's worker, at its second start: the first one of a version compiles its sources. */
async function idleMemory({ vms }: Fleet): Promise<typeof memory> {
  const [vm] = vms;
  const before = [...vm!.pidsOf(CLAIMER), ...vm!.pidsOf(SERVICE)];
  for (const pid of before) process.kill(pid, 'SIGTERM');
  const pids = await eventually(
    async () => {
      const now = [...vm!.pidsOf(CLAIMER), ...vm!.pidsOf(SERVICE)];
      return (
        (now.length === 2 && !now.some((pid) => before.includes(pid)) && (await vm!.serves()) && now) ||
        undefined
      );
    },
    'the second start of a worker',
    PATIENCE_MS,
  );
  await delay(SETTLE_MS);
  const [claimer, service] = pids.map((pid) => togetherMb([pid]));
  return { claimer: claimer!, service: service!, together: togetherMb(pids) };
}

async function serviceMode(): Promise<{ times: number[]; succeeded: number }> {
  const times: number[] = [];
  const byVm = new Map<string, number>();
  let left = runs;
  let succeeded = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      while (left-- > 0) {
        const { task, leasedAfter } = await toItsEnd(`lane-${lane}`);
        times.push(leasedAfter);
        const own = await appliance.runs(task);
        if (own.length === 1 && own[0]!.state === 'succeeded') succeeded++;
        for (const { worker } of own) byVm.set(worker, (byVm.get(worker) ?? 0) + 1);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  console.error(`${runs} tasks in ${seconds.toFixed(0)} s, by VM ${[...byVm.values()].join(', ')}`);
  return { times, succeeded };
}

/** Gives a task; how long until its run was leased, in milliseconds. */
async function toItsEnd(project: string): Promise<{ task: number; leasedAfter: number }> {
  const task = await appliance.task(project);
  const created = performance.now();
  await appliance.ended(task);
  return { task, leasedAfter: Math.max(0, seen.leased.get(task)! - created) };
}

/** Until Nomad has started the task, as Nomad says: for a task of ours, and asked for directly; in turns. */
async function dispatchMode(): Promise<{ own: number[]; bare: number[] }> {
  const times = { own: [] as number[], bare: [] as number[] };
  await addProject('bursts', 'dispatch');
  for (let i = 0; i < DISPATCHES; i++) {
    const task = await appliance.task('bursts');
    let asked = Date.now();
    const own = await eventually(() => Promise.resolve(seen.dispatched.get(task)), 'the dispatch');
    times.own.push((await startOf(own)) - asked);
    await appliance.ended(task);
    await endOf(own);
    // Its worker is for no task that there is: it takes none of ours.
    const Meta = { task: String(task), project: 'lane-0' };
    asked = Date.now();
    const { DispatchedJobID: bare } = await cluster.call('POST', `job/${RUN_JOB}/dispatch`, { Meta });
    times.bare.push((await startOf(bare)) - asked);
    await endOfClaimer(bare);
  }
  return times;
}

/** Ends what waits for a task that does not come; told to end, it would first wait for the answer to its question. */
async function endOfClaimer(job: string): Promise<void> {
  for (const pid of fleet.vms.flatMap((vm) => vm.pidsOf(CLAIMER)))
    if (fileOf(pid, 'environ').includes(`NOMAD_JOB_ID=${job}\0`)) process.kill(pid, 'SIGKILL');
  await endOf(job);
}

/** When the task of a dispatched job was started. */
async function startOf(job: string): Promise<number> {
  return await eventually(
    async () => {
      const [allocation] = await allocationsOf(job);
      const at = Date.parse(allocation?.TaskStates?.claimer?.StartedAt ?? '');
      return at > 0 ? at : undefined;
    },
    `the start of ${job}`,
    PATIENCE_MS,
  );
}

async function endOf(job: string): Promise<void> {
  const isLive = ({ ClientStatus }: { ClientStatus: string }) => /^(pending|running)$/.test(ClientStatus);
  await eventually(
    async () => !(await allocationsOf(job)).some(isLive) || undefined,
    `the end of ${job}`,
    PATIENCE_MS,
  );
}

async function allocationsOf(
  job: string,
): Promise<{ ClientStatus: string; TaskStates?: { claimer?: { StartedAt: string | null } } | null }[]> {
  return await cluster.call('GET', `job/${encodeURIComponent(job)}/allocations`);
}

async function addProject(name: string, placement: 'service' | 'dispatch'): Promise<void> {
  await appliance.project(name, { agent: AGENT });
  await appliance.api('PATCH', `/projects/${name}`, { isolation: 'bubblewrap', placement });
}
