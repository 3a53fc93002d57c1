// What a decision of the scheduler costs with 1,000 and with 1,000,000 stored tasks and alarms; and how long it takes to simulate a
// month of an organisation with 1,000 repositories. Arguments are other counts: stored, and tasks of the month.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { startPostgres } from '../orchestrator/db/supervisor.ts';
import { openOrchestrator, type Orchestrator } from '../orchestrator/simulation/orchestrator.ts';
import { startProcess } from '../orchestrator/simulation/process.ts';
import { simulationSettings } from '../orchestrator/simulation/settings.ts';
import { simulate } from '../orchestrator/simulation/simulate.ts';
import { withSimulationDatabase } from '../orchestrator/simulation/database.ts';
import { totalsOf } from '../orchestrator/simulation/totals.ts';
import { populate } from '../orchestrator/simulation/world.ts';
import { middle } from './support/measure.ts';
import { report } from './report.ts';
import { monthOf, storedWorld } from './support/organisation.ts';
import { store } from './support/stored-work.ts';

const FEW = 1_000;
const MANY = Number(process.argv[2] ?? 1_000_000);
const MONTH_TASKS = Number(process.argv[3] ?? 1_500);
const ROUNDS = 150;
const WARM_UP = 30;
const GOAL = 1.5;
const WHAT = [
  'claim',
  'end of a run',
  'decision about a ticket',
  'decision about an alarm',
  'sweep',
] as const;
type What = (typeof WHAT)[number];
/** Medians, in milliseconds. */
type Costs = Record<What, number>;

const directory = mkdtempSync(join(tmpdir(), 'autocode-bench-schedule-'));
const postgres = await startPostgres({ cluster: join(directory, 'postgres/cluster') });
try {
  const [few, many] = await withSimulationDatabase(
    postgres.url,
    async (url) => await withSimulationDatabase(postgres.url, async (other) => await decisions(url, other)),
  );
  const month = await withSimulationDatabase(postgres.url, playMonth);
  report('schedule', [
    ...WHAT.map((what) => ({
      name: `${what}, with ${MANY} stored against ${FEW}, p50`,
      value: many[what] / few[what],
      unit: 'times',
      atMost: GOAL,
    })),
    { name: 'a month of 1,000 repositories', value: month, unit: 's', atMost: 60 },
  ]);
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

// Both databases are measured in turn, so that whatever else the machine does is the same for both.
async function decisions(fewUrl: string, manyUrl: string): Promise<[Costs, Costs]> {
  await using few = await stored(fewUrl, FEW);
  await using many = await stored(manyUrl, MANY);
  for (let round = 0; round < WARM_UP + ROUNDS; round++)
    for (const each of [few, many]) await decide(each, round >= WARM_UP);
  const [costsOfFew, costsOfMany] = [few, many].map(({ times }) =>
    Object.fromEntries(Object.entries(times).map(([what, all]) => [what, middle(all)])),
  ) as [Costs, Costs];
  for (const what of WHAT)
    console.error(
      `${what.padEnd(24)} ${costsOfFew[what].toFixed(2)} ms → ${costsOfMany[what].toFixed(2)} ms`,
    );
  return [costsOfFew, costsOfMany];
}

interface Stored {
  orchestrator: Orchestrator;
  worker: string;
  times: Record<What, number[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

async function stored(url: string, count: number): Promise<Stored> {
  const process = startProcess(url, { now: new Date() });
  const workers = await populate(process.db, storedWorld);
  const began = performance.now();
  await store(process.db, count);
  console.error(
    `${count} tasks and alarms were stored in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
  return {
    orchestrator: openOrchestrator(process.db, simulationSettings(storedWorld.settings, [])),
    worker: workers[0]!.name,
    times: Object.fromEntries(WHAT.map((what) => [what, []])) as unknown as Record<What, number[]>,
    [Symbol.asyncDispose]: async () => await process.gone(),
  };
}

async function decide({ orchestrator, worker, times }: Stored, counts: boolean): Promise<void> {
  const into = (what: What) => (counts ? times[what] : []);
  const id = randomUUID();
  const project = `team-${Math.floor(Math.random() * 1000)}`;
  await orchestrator.deliver('tickets', id, { type: 'ticket', id, title: id, project });
  await timed(into('decision about a ticket'), async () => await orchestrator.work(1));
  await orchestrator.deliver('alarms', id, {
    AlarmName: id,
    AWSAccountId: `account-${Math.floor(Math.random() * 1000)}`,
    NewStateValue: 'ALARM',
    StateChangeTime: new Date().toISOString(),
    Region: 'eu-central-1',
  });
  await timed(into('decision about an alarm'), async () => await orchestrator.work(1));
  const order = await timed(into('claim'), async () => await orchestrator.claim(worker, randomUUID()));
  if (order === null) throw new Error('there was nothing to claim');
  await timed(into('end of a run'), async () => await orchestrator.finish(order, 'no-change'));
  await timed(into('sweep'), async () => await orchestrator.sweep(true));
}

async function timed<T>(into: number[], work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  into.push(performance.now() - began);
  return result;
}

async function playMonth(url: string): Promise<number> {
  const scenario = monthOf(MONTH_TASKS);
  const began = performance.now();
  const observed = await simulate({ url, scenario, config: simulationSettings(scenario.settings, []) });
  const took = (performance.now() - began) / 1000;
  const { tasks, runs, incidents, utilisation, waits } = totalsOf(observed);
  console.error(
    `a month: ${tasks} tasks, ${runs} runs, ${incidents} incidents, workers ${Math.round(utilisation * 100)} % in use, ` +
      `${waits.map((each) => `${each.class} wait p95 ${Math.round(each.p95)} s`).join(', ')}; simulated in ${took.toFixed(1)} s`,
  );
  return took;
}
