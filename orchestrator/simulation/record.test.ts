import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scenario, type ScenarioInput } from '../../protocol/scenario.ts';
import { testDatabase } from '../../test/support/database.ts';
import { connect } from '../db/connect.ts';
import { withSimulationDatabase } from './database.ts';
import { recordScenario } from './record.ts';
import { simulationSettings } from './settings.ts';
import { simulate } from './simulate.ts';

const PLAYED: ScenarioInput = {
  about: 'A day with secrets in its names.',
  settings: { scheduling: { limits: { sources: { 'secret-queue': 3 } } } },
  workers: [{ name: 'secret-worker', count: 2, capacity: 2 }],
  projects: [{ name: 'secret-shop', repositories: ['secret-api', 'secret-web'] }, { name: 'secret-site' }],
  sources: [
    { name: 'secret-queue', project: 'secret-site' },
    { name: 'secret-alarms', accounts: { 'secret-account': 'secret-site' } },
  ],
  arrivals: [
    {
      at: '0s',
      task: { name: 'secret wish', project: 'secret-shop', repositories: ['secret-web'], priority: 3 },
    },
    { at: '1m', ticket: { name: 'secret ticket', source: 'secret-queue' } },
    { at: '5m', alarm: { name: 'secret alarm', source: 'secret-alarms', account: 'secret-account' } },
    {
      at: '7m',
      alarm: { name: 'secret alarm', source: 'secret-alarms', account: 'secret-account', state: 'OK' },
    },
  ],
  work: [
    { name: 'secret wish', attempts: [{ takes: '7m', ends: 'failed' }, { takes: '9m' }] },
    { kind: 'investigate', attempts: [{ takes: '20m', ends: 'no-change' }] },
    { attempts: [{ takes: '11m', ends: 'no-change' }] },
  ],
};

test('what was recorded names nobody and nothing, and plays as it was', async () => {
  await using server = await testDatabase({ empty: true, poolSize: 1 });
  const scenario = Scenario.parse(PLAYED);
  const config = simulationSettings(scenario.settings, []);
  const { played, recorded } = await withSimulationDatabase(server.url, async (url) => {
    const observed = await simulate({ url, scenario, config });
    const db = connect({ url, poolSize: 1 });
    await db.query(`set virtual.now = '2026-03-03T00:00:00Z'`);
    const cut = await recordScenario(db, config, new Date(scenario.start)).finally(
      async () => await db.end(),
    );
    return { played: observed, recorded: cut };
  });
  assert.doesNotMatch(JSON.stringify(recorded), /secret/);
  assert.deepEqual(Scenario.parse(structuredClone(recorded)), recorded, 'it is a scenario');
  const again = await withSimulationDatabase(
    server.url,
    async (url) =>
      await simulate({ url, scenario: recorded, config: simulationSettings(recorded.settings, []) }),
  );
  const course = (observed: typeof played) =>
    observed.runs.map(({ kind, class: of, state, at }) => [kind, of, state, Math.round(at / 60)]);
  assert.deepEqual(course(again), course(played));
  assert.deepEqual(
    again.incidents.map(({ alarms }) => alarms),
    [1],
  );
});

for (const since of ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59'])
  test(`an installation in which nothing happened is a scenario with nothing, also since ${since}`, async () => {
    await using server = await testDatabase();
    const cut = await recordScenario(server.pool, simulationSettings({}, []), new Date(since));
    assert.deepEqual([cut.arrivals, cut.projects, cut.sources], [[], [], []]);
    assert.ok(Math.abs(Date.parse(cut.start) - Date.now()) < 24 * 3_600_000);
  });
