// `scripts/chaos fleet`: a fleet of four VMs under load on which something is killed or cut off every few seconds; then every task
// has ended once, and nothing is left of the runs. Prints how long recovery took, and the seed.
import { randomInt } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { percentile } from '../../bench/support/measure.ts';
import { TASK_STATES, type Task } from '../../protocol/task.ts';
import { eventually } from '../e2e/appliance.ts';
import { completedOnce, logsAreTrue, nothingLeft, untilUp, type Scene } from '../e2e/faults/invariants.ts';
import { keepAllLogs } from '../e2e/faults/moments.ts';
import { randomFrom } from '../e2e/faults/points.ts';
import { startFleet } from '../support/fleet.ts';
import { nothingStrays } from './leftovers.ts';
import { nextStrike, type Strike } from './strikes.ts';

const VMS = 4;
/** Projects whose tasks come one after the other; the last one's by allocations of their own. */
const LANES = ['service', 'service', 'service', 'service', 'dispatch'] as const;
const SHORTEST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 6000;
const PATIENCE_MS = 300_000;
/** Speaks all the while, so that there is a log to lose. */
const AGENT =
  'for i in 1 2 3 4 5 6 7 8 9 10; do echo "$i $AUTOCODE_RUN at work on the answer"; sleep 0.2; done; echo 42 > answer';
const SETTINGS = [
  'lease.leaseSeconds=8',
  ...['agent', 'platform', 'lost'].map((cause) => `limits.retries.${cause}=9`),
];

const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
const { minutes, seed } = z
  .object({
    minutes: z.coerce.number().positive().default(10),
    seed: z.coerce
      .number()
      .int()
      .default(() => randomInt(2 ** 31)),
  })
  .parse(values);
console.error(`seed ${seed}, ${minutes} minutes`);

await using fleet = await startFleet(VMS, ...SETTINGS);
const { appliance } = fleet;
const scene: Scene = {
  dataDir: appliance.dataDir,
  kept: path.join(appliance.directory, 'kept'),
  stateDirs: fleet.vms.map(({ stateDir }) => stateDir),
};
const watching = new AbortController();
void keepAllLogs(scene.dataDir, scene.kept, watching.signal, scene.stateDirs);
const failed = new AbortController();
const over = AbortSignal.any([AbortSignal.timeout(minutes * 60_000), failed.signal]);
const [working, striking] = [work(over), strikeOn(over)];
for (const each of [working, striking]) each.catch(() => failed.abort());
await Promise.allSettled([working, striking]); // no strike may fall on what is taken down
const [tasks, recoveries] = [await working, await striking];
await settled(async () => {
  await nothingLeft(scene);
  await nothingStrays(fleet);
});
const logs = await logsAreTrue(scene);
watching.abort();
console.log(
  JSON.stringify({
    chaos: 'fleet',
    seed,
    minutes,
    tasks,
    logs,
    strikes: recoveries.length,
    ...figuresOf(recoveries),
  }),
);

/** Tasks without end in each lane, until the signal aborts; how many there were, each completed once. */
async function work(signal: AbortSignal): Promise<number> {
  const done = await Promise.all(
    LANES.map(async (placement, index) => {
      const project = `lane-${index}`;
      const origin = await appliance.project(project, { agent: AGENT });
      await appliance.api('PATCH', `/projects/${project}`, { isolation: 'bubblewrap', placement });
      let tasks = 0;
      for (; !signal.aborted; tasks++) {
        const idempotencyKey = crypto.randomUUID();
        const task = await untilUp(
          async () => await appliance.task(project, 'make it right', { idempotencyKey }),
        );
        await ended(task);
        await completedOnce(scene, task, origin);
      }
      return tasks;
    }),
  );
  return done.reduce((sum, tasks) => sum + tasks, 0);
}

async function ended(id: number): Promise<void> {
  const last = TASK_STATES.indexOf('completed');
  await eventually(
    async () => {
      const task = await appliance.api<Task>('GET', `/tasks/${id}`).catch(() => undefined); // it may be down on purpose
      return (task !== undefined && TASK_STATES.indexOf(task.state) >= last) || undefined;
    },
    `the end of task ${id}`,
    PATIENCE_MS,
  );
}

interface Recovery {
  what: string;
  /** Since the fault was over, as far as it is not for the product to end it. */
  seconds: number;
}

/** Strikes every few seconds until the signal aborts, and waits for all recoveries. */
async function strikeOn(signal: AbortSignal): Promise<Recovery[]> {
  const random = randomFrom(seed);
  const struck = new Set<string>();
  const recoveries: Promise<Recovery | undefined>[] = [];
  const began = performance.now();
  while (!signal.aborted) {
    const pause = SHORTEST_PAUSE_MS + random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS);
    await delay(pause, undefined, { signal }).catch(() => {});
    const strike = nextStrike(fleet, random);
    if (signal.aborted || struck.has(strike.target)) continue;
    struck.add(strike.target);
    const at = `${((performance.now() - began) / 1000).toFixed(0)} s: ${strike.target}`;
    const recovery = recover(strike, at).finally(() => struck.delete(strike.target));
    recovery.catch(() => {}); // it is told below
    recoveries.push(recovery);
  }
  await Promise.allSettled(recoveries);
  return (await Promise.all(recoveries)).filter((each) => each !== undefined);
}

/** Strikes; undefined when there was nobody to be hit. */
async function recover({ what, hit }: Strike, at: string): Promise<Recovery | undefined> {
  const recovered = await hit();
  if (recovered === undefined) return undefined;
  const since = performance.now();
  const look = async () => (await recovered().catch(() => false)) || undefined;
  await eventually(look, `the recovery from ${at}`, PATIENCE_MS);
  const seconds = (performance.now() - since) / 1000;
  console.error(`${at}, recovered in ${seconds.toFixed(1)} s`);
  return { what, seconds };
}

/** Waits until it holds; what it throws last is the finding. */
async function settled(holds: () => Promise<void>): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; ; await delay(1000)) {
    try {
      return await holds();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

function figuresOf(recoveries: Recovery[]): object {
  const figures = (some: Recovery[]) => {
    const seconds = some.map((each) => each.seconds);
    return {
      count: some.length,
      p50: Number(percentile(seconds, 0.5).toFixed(1)),
      p95: Number(percentile(seconds, 0.95).toFixed(1)),
    };
  };
  const kinds = [...new Set(recoveries.map(({ what }) => what))];
  return {
    recoverySeconds: figures(recoveries),
    byKind: Object.fromEntries(
      kinds.map((kind) => [kind, figures(recoveries.filter(({ what }) => what === kind))]),
    ),
  };
}
