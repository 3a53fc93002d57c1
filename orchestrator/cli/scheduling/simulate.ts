// `autocode schedule simulate`: plays a scenario in a database of its own, on the installation's server or one for the time.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scenario } from '../../../protocol/scenario.ts';
import { clusterPath } from '../../config/data-directory.ts';
import type { Config } from '../../config/schema.ts';
import { withPostgres } from '../../db/with-postgres.ts';
import { withSimulationDatabase } from '../../simulation/database.ts';
import { written } from '../../simulation/duration.ts';
import { judge } from '../../simulation/expectations.ts';
import { readScenario, shippedScenarios } from '../../simulation/file.ts';
import type { Observed } from '../../simulation/observe.ts';
import { simulationSettings } from '../../simulation/settings.ts';
import { simulate } from '../../simulation/simulate.ts';
import { totalsOf } from '../../simulation/totals.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { print, printJson, table } from '../output.ts';
import { loadSettings } from '../settings.ts';
import { drawSimulation } from './simulation-report.ts';

interface Args extends GlobalArgs {
  scenario: string | undefined;
  workers: number | undefined;
}

const PROGRESS_MS = 500;
const INTERRUPTED = 130;

/** Plays a scenario and tells what was decided; ends with 1 where that is not what the scenario expects. */
export async function simulateScenario(args: Args): Promise<void> {
  if (args.scenario === undefined) return listScenarios(args.json);
  const scenario = withWorkers(readScenario(args.scenario), args.workers);
  const config = simulationSettings(scenario.settings, args.set ?? []);
  const { config: own } = loadSettings(args);
  const began = performance.now();
  const observed = await interruptibly(
    async (signal) =>
      await withServer(
        own,
        async (server) =>
          await withSimulationDatabase(
            server,
            async (url) => await simulate({ url, scenario, config, signal, progress: progressOf(args) }),
          ),
      ),
  );
  const expectations = judge(scenario.expect, observed);
  const tookSeconds = (performance.now() - began) / 1000;
  if (args.json) {
    const { tasks, runs, items, incidents } = observed;
    printJson({ totals: totalsOf(observed), expectations, tasks, runs, items, incidents, tookSeconds });
  } else print(drawSimulation(observed as Observed, expectations, { tookSeconds, all: args.verbose }));
  if (expectations.some(({ held }) => !held)) throw new Exit(1);
}

function listScenarios(json: boolean): void {
  const scenarios = shippedScenarios().map((name) => ({ name, about: readScenario(name).about }));
  if (json) printJson(scenarios);
  else
    print(
      table(scenarios, [
        { title: 'SCENARIO', value: ({ name }) => name },
        { title: 'ABOUT', value: ({ about }) => about },
      ]),
    );
}

function withWorkers(scenario: Scenario, count: number | undefined): Scenario {
  const [first] = scenario.workers;
  return count === undefined ? scenario : { ...scenario, workers: [{ ...first!, count }] };
}

// A data directory that has no server yet gets none by this.
async function withServer<T>({ dataDir, database }: Config, work: (url: string) => Promise<T>): Promise<T> {
  const cluster = clusterPath(dataDir);
  if (database.url !== undefined || existsSync(cluster))
    return await withPostgres({ url: database.url, cluster }, work);
  const directory = await mkdtemp(join(tmpdir(), 'autocode-simulation-'));
  try {
    return await withPostgres({ cluster: clusterPath(directory), durable: false }, work);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

// Its database is dropped before the process ends.
async function interruptibly<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await work(interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted) throw new Exit(INTERRUPTED);
    throw error;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}

function progressOf({ json }: GlobalArgs): (elapsed: number) => void {
  let told = 0;
  return (elapsed) => {
    if (json || !process.stderr.isTTY || performance.now() - told < PROGRESS_MS) return;
    told = performance.now();
    process.stderr.write(`\r\u001b[K${written(Math.round(elapsed))}\r`);
  };
}
