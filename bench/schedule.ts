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

const directory = mkdtempSync(join(tmpdir(), 'autocode-bench-schedule-'));
const postgres = await startPostgres({ cluster: join(directory, 'postgres/cluster') });
try {
  const [few, many] = await withSimulationDatabase(postgres.url, decisions);
  const month = await withSimulationDatabase(postgres.url, playMonth);
  report('schedule', [
    ...(Object.keys(few) as (keyof Costs)[]).map((what) => ({
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

/** Medians, in milliseconds. */
interface Costs {
  claim: number;
  'end of a run': number;
  'decision about a ticket': number;
  'decision about an alarm': number;
  sweep: number;
}

async function decisions(url: string): Promise<[Costs, Costs]> {
  const process = startProcess(url, { now: new Date() });
  try {
    const workers = await populate(process.db, storedWorld);
    const orchestrator = openOrchestrator(process.db, simulationSettings(storedWorld.settings, []));
    await store(process.db, 0, FEW);
    const few = await costs(orchestrator, workers[0]!.name);
    const began = performance.now();
    await store(process.db, FEW, MANY);
    console.error(`${MANY} tasks and alarms were stored in ${seconds(began)} s`);
    const many = await costs(orchestrator, workers[0]!.name);
    for (const what of Object.keys(few) as (keyof Costs)[])
      console.error(`${what.padEnd(24)} ${few[what].toFixed(2)} ms → ${many[what].toFixed(2)} ms`);
    return [few, many];
  } finally {
    await process.gone();
  }
}

async function costs(orchestrator: Orchestrator, worker: string): Promise<Costs> {
  const [claims, ends, tickets, alarms, sweeps]: number[][] = [[], [], [], [], []];
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const into = (times: number[] | undefined) => (round < WARM_UP ? [] : times!);
    const id = randomUUID();
    const project = `team-${Math.floor(Math.random() * 1000)}`;
    await orchestrator.deliver('tickets', id, { type: 'ticket', id, title: id, project });
    await timed(into(tickets), async () => await orchestrator.work(1));
    const account = `account-${Math.floor(Math.random() * 1000)}`;
    await orchestrator.deliver('alarms', randomUUID(), {
      AlarmName: id,
      AWSAccountId: account,
      NewStateValue: 'ALARM',
      StateChangeTime: new Date().toISOString(),
      Region: 'eu-central-1',
    });
    await timed(into(alarms), async () => await orchestrator.work(1));
    const order = await timed(into(claims), async () => await orchestrator.claim(worker, randomUUID()));
    if (order === null) throw new Error('there was nothing to claim');
    await timed(into(ends), async () => await orchestrator.finish(order, 'no-change'));
    await timed(into(sweeps), async () => await orchestrator.sweep(true));
  }
  return {
    claim: middle(claims!),
    'end of a run': middle(ends!),
    'decision about a ticket': middle(tickets!),
    'decision about an alarm': middle(alarms!),
    sweep: middle(sweeps!),
  };
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

function seconds(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(0);
}
