// An organisation with 1,000 repositories, as scenarios: what its database has when decisions are measured, and a month of it.
import { Scenario, type ScenarioInput } from '../../protocol/scenario.ts';
import { uniform } from '../../orchestrator/simulation/draw.ts';

const REPOSITORIES = 1_000;
const ACCOUNTS = 40;
const STORMS = 80;
const QUIET = 20;
const DAYS = 30;
const DAY = 86_400;
const [OPENS, CLOSES] = [8, 18];

/** Projects, a worker and queues, and no work. */
export const storedWorld = Scenario.parse({
  about: 'What decisions are measured with.',
  settings: {
    incidents: {
      accounts: Array.from({ length: REPOSITORIES }, (_, n) => ({
        account: `account-${n}`,
        project: `team-${n}`,
      })),
    },
    scheduling: { limits: { perProject: 4, perSource: 1000, perAccount: 10 } },
  },
  workers: [{ name: 'worker', capacity: 10 }],
  projects: [{ name: 'team', count: REPOSITORIES }],
  sources: [{ name: 'tickets' }, { name: 'alarms' }],
  arrivals: [
    { at: '0s', count: REPOSITORIES, ticket: { source: 'tickets', name: '{n}', project: 'team-{n}' } },
  ],
} satisfies ScenarioInput);

/** A month with so many tickets and tasks of people, in working hours, and alarms around the clock. */
export function monthOf(tasks: number): Scenario {
  const arrivals: NonNullable<ScenarioInput['arrivals']> = [];
  for (let n = 0; n < tasks; n++) {
    const hour = OPENS + uniform(1, n, 'hour') * (CLOSES - OPENS);
    const at = `${Math.round(Math.floor(uniform(1, n, 'day') * DAYS) * DAY + hour * 3600)}s`;
    const team = Math.floor(uniform(1, n, 'project') * REPOSITORIES) - QUIET;
    const project = team < 0 ? `quiet-${team + QUIET}` : `team-${team}`;
    const name = `task ${n}`;
    if (n % 3 === 0) arrivals.push({ at, task: { name, project, priority: n % 10 === 0 ? 3 : 0 } });
    else arrivals.push({ at, ticket: { name, project, source: 'tickets' } });
  }
  for (let n = 0; n < STORMS; n++) {
    const began = Math.round(uniform(1, n, 'storm') * DAYS * DAY);
    for (let alarm = 0; alarm < 3; alarm++) {
      const told = { name: `alarm ${alarm}`, account: `account-${n % ACCOUNTS}`, source: 'alarms' };
      arrivals.push({ at: `${began + alarm * 120}s`, alarm: told });
      arrivals.push({ at: `${began + 1800 + alarm * 60}s`, alarm: { ...told, state: 'OK' } });
    }
  }
  return Scenario.parse({
    about: 'A month of an organisation.',
    start: '2026-03-02T00:00:00Z',
    workers: [{ name: 'worker', count: 4, capacity: 8 }],
    projects: [
      { name: 'team', count: REPOSITORIES - QUIET },
      {
        name: 'quiet',
        count: QUIET,
        settings: { quietHours: [{ from: '17:00', to: '09:00', timeZone: 'Europe/Berlin' }] },
      },
    ],
    sources: [
      { name: 'tickets' },
      {
        name: 'alarms',
        accounts: Object.fromEntries(
          Array.from({ length: ACCOUNTS }, (_, n) => [`account-${n}`, `team-${n * 24}`]),
        ),
      },
    ],
    arrivals,
    work: [
      {
        attempts: [
          {
            takes: { median: '18m', p90: '50m' },
            ends: { verified: 88, 'no-change': 5, failed: 6, lost: 1 },
          },
        ],
      },
    ],
  });
}
