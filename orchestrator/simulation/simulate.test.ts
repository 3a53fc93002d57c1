import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scenario, type ScenarioInput } from '../../protocol/scenario.ts';
import { testDatabase } from '../../test/support/database.ts';
import { withSimulationDatabase } from './database.ts';
import { judge } from './expectations.ts';
import { readScenario, shippedScenarios } from './file.ts';
import type { Observed } from './observe.ts';
import { simulationSettings } from './settings.ts';
import { simulate } from './simulate.ts';

async function play(scenario: Scenario, tried: string[] = []): Promise<Observed> {
  await using server = await testDatabase({ empty: true, poolSize: 1 });
  const config = simulationSettings(scenario.settings, tried);
  return await withSimulationDatabase(server.url, async (url) => await simulate({ url, scenario, config }));
}

const scenarioOf = (input: Omit<ScenarioInput, 'about'>) => Scenario.parse({ about: 'A test.', ...input });

for (const name of shippedScenarios()) {
  test(`the scheduler decides as the scenario ${name} expects`, async () => {
    const scenario = readScenario(name);
    assert.ok(scenario.expect.length > 0, 'it expects something');
    const judged = judge(scenario.expect, await play(scenario));
    assert.deepEqual(
      judged.filter(({ held }) => !held),
      [],
    );
  });
}

test('wherever the orchestrator is killed, each ticket becomes one task and each task one run', async () => {
  await using server = await testDatabase({ empty: true, poolSize: 1 });
  for (const statement of [1, 6, 14, 25, 38, 52, 67]) {
    const scenario = scenarioOf({
      workers: [{ name: 'w', capacity: 2 }],
      projects: [{ name: 'p' }, { name: 'q' }],
      sources: [{ name: 'tickets', project: 'p' }],
      arrivals: [
        { at: '0s', task: { name: 'before', project: 'q' }, attempts: [{ takes: '1m3s' }] },
        { at: '1m', every: '1s', count: 3, ticket: { source: 'tickets', name: 'ticket {n}' } },
        { at: '1m2s', task: { name: 'wish', project: 'q' } },
      ],
      happenings: [{ at: '1m', kill: { statement } }],
    });
    const config = simulationSettings({}, []);
    const observed = await withSimulationDatabase(
      server.url,
      async (url) => await simulate({ url, scenario, config }),
    );
    const runs = observed.runs.map(({ task, state }) => `${task} ${state}`).toSorted();
    const wanted = ['before', 'ticket 0', 'ticket 1', 'ticket 2', 'wish'].map((task) => `${task} succeeded`);
    assert.deepEqual(runs, wanted, `killed before statement ${statement}`);
  }
});

test('the same scenario is decided the same way again', async () => {
  const scenario = scenarioOf({
    workers: [{ name: 'w', capacity: 2 }],
    projects: [{ name: 'p', count: 3 }],
    arrivals: [{ at: '0s', every: '1m', count: 12, task: { name: 'task {n}', project: 'p-{n%3}' } }],
    work: [
      { attempts: [{ takes: { median: '5m', p90: '20m' }, ends: { verified: 2, failed: 1, lost: 1 } }] },
    ],
  });
  const [one, other] = [await play(scenario), await play(scenario)];
  assert.deepEqual(one.runs, other.runs);
  assert.deepEqual(one.tasks, other.tasks);
});

test('another setting is another decision, of the same work', async () => {
  const scenario = scenarioOf({
    workers: [{ name: 'w' }],
    projects: [{ name: 'p' }, { name: 'q' }, { name: 'r' }],
    arrivals: [
      { at: '0s', task: { name: 'first', project: 'r' } },
      { at: '1m', task: { name: 'old', project: 'p' } },
      { at: '30m', task: { name: 'urgent', project: 'q', priority: 1 } },
    ],
    work: [{ name: 'first', attempts: [{ takes: '40m' }] }],
  });
  const order = ({ runs }: Observed) => runs.map(({ task }) => task);
  assert.deepEqual(order(await play(scenario)), ['first', 'old', 'urgent']);
  const tried = ['scheduling.priorityMinutes=60'];
  assert.deepEqual(order(await play(scenario, tried)), ['first', 'urgent', 'old']);
  await assert.rejects(play(scenario, ['scheduling.nonsense=1']), { code: 'ERR_CONFIG' });
});

test('a worker that is away for a moment keeps its run; one that is away for long finds it done by another', async () => {
  const runsWith = async (awayFor: string) => {
    const scenario = scenarioOf({
      workers: [{ name: 'w', count: 2 }],
      projects: [{ name: 'p' }],
      arrivals: [{ at: '0s', task: { name: 'it', project: 'p' } }],
      happenings: [{ at: '1m', worker: { name: 'w-0', awayFor } }],
    });
    return (await play(scenario)).runs.map(({ state, worker }) => `${worker} ${state}`);
  };
  assert.deepEqual(await runsWith('20s'), ['w-0 succeeded']);
  assert.deepEqual(await runsWith('20m'), ['w-0 lost', 'w-1 succeeded']);
});

test('a run of which nothing is heard any more is lost and done again', async () => {
  const scenario = scenarioOf({
    workers: [{ name: 'w' }],
    projects: [{ name: 'p' }],
    arrivals: [
      {
        at: '0s',
        task: { name: 'it', project: 'p' },
        attempts: [{ takes: '5m', ends: 'lost' }, { takes: '5m' }],
      },
    ],
  });
  const { runs, tasks } = await play(scenario);
  assert.deepEqual(
    runs.map(({ state, at }) => [state, at]),
    [
      ['lost', 0],
      ['succeeded', 348],
    ],
  );
  assert.ok(tasks[0]!.waited.retry! >= 15);
});

test('while a drain goes on nothing begins, and what has begun goes on', async () => {
  const scenario = scenarioOf({
    workers: [{ name: 'w', capacity: 2 }],
    projects: [{ name: 'p' }, { name: 'q' }],
    arrivals: [
      { at: '0s', task: { name: 'before', project: 'p' } },
      { at: '5m', task: { name: 'meanwhile', project: 'q' } },
    ],
    happenings: [
      { at: '1m', drain: 'start' },
      { at: '30m', drain: 'stop' },
    ],
  });
  const { runs } = await play(scenario);
  assert.deepEqual(
    runs.map(({ task, at, state }) => [task, at, state]),
    [
      ['before', 0, 'succeeded'],
      ['meanwhile', 1800, 'succeeded'],
    ],
  );
});

test('its database is gone afterwards, also when it failed, and so is what a killed simulation left', async () => {
  await using server = await testDatabase({ empty: true, poolSize: 2 });
  const left = 'autocode_simulation_1000_cafe';
  const young = `autocode_simulation_${Math.floor(Date.now() / 1000)}_cafe`;
  for (const name of [left, young]) await server.pool.query(`create database ${name} template template0`);
  let own = '';
  const failing = withSimulationDatabase(server.url, async (url) => {
    own = new URL(url.replace('postgresql://autocode@/', 'postgresql://autocode@host/')).pathname.slice(1);
    throw new Error('interrupted');
  });
  await assert.rejects(failing, /interrupted/);
  const { rows } = await server.pool.query<{ datname: string }>(
    'select datname from pg_database where datname = any($1)',
    [[own, left, young]],
  );
  assert.match(own, /^autocode_simulation_\d+_[0-9a-f]{8}$/);
  assert.deepEqual(
    rows.map(({ datname }) => datname),
    [young],
    'it may be about to be used',
  );
  await server.pool.query(`drop database ${young}`);
});
