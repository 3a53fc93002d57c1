// A scenario cut from what happened here: when work came, how long runs took and how they ended, what there was to do it. Names are
// replaced and texts left out. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import { MOST_ARRIVALS, Scenario, type ScenarioInput } from '../../protocol/scenario.ts';
import type { Config } from '../config/schema.ts';
import type { Queryable } from '../db/connect.ts';
import { written } from './duration.ts';

interface TaskRow {
  id: number;
  project: number;
  repositories: number[];
  kind: 'change' | 'investigate';
  class: string;
  source: string;
  account: string | null;
  priority: number;
  at: number;
}

interface RunRow {
  task: number;
  kind: string;
  state: string;
  cause: string | null;
  seconds: number;
}

interface AlarmRow {
  subject: string;
  account: string;
  project: number;
  source: string;
  firing: boolean;
  at: number;
  since: number | null;
}

type Attempts = NonNullable<NonNullable<ScenarioInput['arrivals']>[number]['attempts']>;
type Arrivals = NonNullable<ScenarioInput['arrivals']>;

const LEAST_SECONDS = 1;

/** Names in place of others, by the order in which these are met. */
function aliases(word: string): (of: string | number) => string {
  const known = new Map<string | number, string>();
  return (of) => {
    if (!known.has(of)) known.set(of, `${word}-${known.size + 1}`);
    return known.get(of)!;
  };
}

/** Cuts the scenario of all that came since a time; ERR_INVALID_INPUT when that is too much. */
export async function recordScenario(db: Queryable, config: Config, from: Date): Promise<Scenario> {
  const since = await withinLife(db, from);
  const [tasks, runs, alarms] = [
    await tasksSince(db, since),
    await runsSince(db, since),
    await alarmsSince(db, since),
  ];
  const [project, repository, account] = [aliases('project'), aliases('repository'), aliases('account')];
  const [source, subject] = [aliases('source'), aliases('alarm')];
  const attempts = Map.groupBy(runs, ({ task }) => task);
  const arrivals: Arrivals = [];
  const accounts = new Map<string, Map<string, string>>();
  for (const task of tasks) {
    if (task.class === 'incident') continue; // its alarms make it
    const own = attemptsOf(attempts.get(task.id) ?? []);
    const what = { name: `task ${task.id}`, project: project(task.project), priority: task.priority };
    const isGiven = task.source === 'api' || task.class === 'person';
    arrivals.push({
      at: written(task.at),
      ...(isGiven
        ? { task: { ...what, kind: task.kind, repositories: task.repositories.map((id) => repository(id)) } }
        : { ticket: { ...what, source: source(task.source) } }),
      ...(own.length > 0 && { attempts: own }),
    });
  }
  for (const alarm of alarms) {
    const from = source(alarm.source);
    const map = accounts.get(from) ?? new Map<string, string>();
    accounts.set(from, map.set(account(alarm.account), project(alarm.project)));
    arrivals.push({
      at: written(alarm.at),
      alarm: {
        name: subject(alarm.subject),
        source: from,
        account: account(alarm.account),
        state: alarm.firing ? 'ALARM' : 'OK',
        ...(alarm.since !== null && alarm.since >= 0 && { since: written(alarm.since) }),
      },
    });
  }
  if (arrivals.length > MOST_ARRIVALS) {
    throw new AutocodeError('ERR_INVALID_INPUT', `${arrivals.length} tasks and alarms came since then.`, {
      remedy: `A scenario has at most ${MOST_ARRIVALS}: take a later time.`,
    });
  }
  const sources = new Set(arrivals.flatMap(({ ticket, alarm }) => (ticket ?? alarm)?.source ?? []));
  return Scenario.parse({
    about: `What came since ${since.toISOString()}.`,
    start: since.toISOString(),
    settings: settingsOf(config, { source, account }),
    workers: await workersOf(db),
    projects: await projectsOf(db, { project, repository }),
    sources: [...sources].map((name) => ({ name, accounts: Object.fromEntries(accounts.get(name) ?? []) })),
    arrivals,
    work: usualWork(runs),
  } satisfies ScenarioInput);
}

// Nothing came before there was an installation, nor after now.
async function withinLife(db: Queryable, from: Date): Promise<Date> {
  const { rows } = await db.query<{ since: Date }>(
    'select least(greatest($1, created_at), now()) as since from installation',
    [from],
  );
  return rows[0]!.since;
}

async function tasksSince(db: Queryable, since: Date): Promise<TaskRow[]> {
  const { rows } = await db.query<TaskRow>(
    `select id, project, kind, class, source_name as source, account, priority,
       (select array_agg(repository order by position) from task_repository where task = task.id) as repositories,
       extract(epoch from created_at - $1)::float8 as at
     from task where created_at >= $1 and replay_of is null order by id`,
    [since],
  );
  return rows;
}

async function runsSince(db: Queryable, since: Date): Promise<RunRow[]> {
  const { rows } = await db.query<RunRow>(
    `select task, kind, run.state, cause, extract(epoch from coalesce(run.finished_at, now()) - run.created_at)::float8 as seconds
     from run join task on task.id = run.task where task.created_at >= $1 order by task, fence`,
    [since],
  );
  return rows;
}

// Alarms that were believed; whether one fires is the last word of its key.
async function alarmsSince(db: Queryable, since: Date): Promise<AlarmRow[]> {
  const { rows } = await db.query<AlarmRow>(
    `select item.subject, alarm.account, task.project, item.source, item.key ~ '\\|(ALARM|firing)$' as firing,
       extract(epoch from item.created_at - $1)::float8 as at, extract(epoch from item.order_at - $1)::float8 as since
     from intake_item item
     join lateral (select account, task from incident_alarm where scope = item.scope and subject = item.subject
       order by incident desc limit 1) alarm on true
     join task on task.id = alarm.task
     where item.created_at >= $1 and item.claims and item.key ~ '\\|(ALARM|firing|OK|resolved)$' order by item.id`,
    [since],
  );
  return rows;
}

function attemptsOf(runs: RunRow[]): Attempts {
  return runs.map(({ state, cause, seconds }) => ({
    takes: written(Math.max(Math.round(seconds), LEAST_SECONDS)),
    ends: endOf(state, cause),
  }));
}

function endOf(state: string, cause: string | null): 'verified' | 'no-change' | 'failed' | 'lost' {
  if (state === 'lost' || cause === 'lost') return 'lost';
  if (state === 'succeeded' || state === 'submitting') return 'verified';
  return state === 'failed' || state === 'out-of-budget' ? 'failed' : 'no-change';
}

// For investigations, which belong to alarms and not to one task of the scenario.
function usualWork(runs: RunRow[]): ScenarioInput['work'] {
  const own = runs.filter(({ kind }) => kind === 'investigate');
  if (own.length === 0) return [];
  const lengths = own
    .map(({ seconds }) => Math.max(seconds, LEAST_SECONDS))
    .toSorted((one, other) => one - other);
  const at = (part: number) => written(Math.round(lengths[Math.floor(part * (lengths.length - 1))]!));
  const ends = Map.groupBy(own, ({ state, cause }) => endOf(state, cause));
  const weights = Object.fromEntries([...ends].map(([end, all]) => [end, all.length]));
  return [{ kind: 'investigate', attempts: [{ takes: { median: at(0.5), p90: at(0.9) }, ends: weights }] }];
}

async function workersOf(db: Queryable): Promise<ScenarioInput['workers']> {
  const { rows } = await db.query<{ capacity: number; count: number }>(
    `select capacity, count(*)::int as count from worker where state = 'online' and capacity > 0 group by capacity order by capacity`,
  );
  if (rows.length === 0) return [{ name: 'worker' }];
  return rows.map(({ capacity, count }, at) => ({ name: `worker-${at + 1}`, capacity, count }));
}

type Alias = ReturnType<typeof aliases>;

async function projectsOf(
  db: Queryable,
  { project, repository }: { project: Alias; repository: Alias },
): Promise<ScenarioInput['projects']> {
  const { rows } = await db.query<{ id: number; repositories: number[]; settings: object }>(
    `select id, jsonb_strip_nulls(jsonb_build_object('limits', limits - 'agentUsd', 'maxRuns', max_runs, 'quietHours', quiet_hours,
         'afterChange', after_change)) as settings,
       (select array_agg(r.id order by r.position) from repository r where r.project = project.id) as repositories
     from project where exists (select from repository r where r.project = project.id) order by id`,
  );
  return rows.map(({ id, repositories, settings }) => ({
    name: project(id),
    repositories: repositories.map((each) => repository(each)),
    settings,
  }));
}

// What the scheduler goes by, with the names of sources and accounts replaced.
function settingsOf(
  { limits, lease, scheduling, incidents }: Config,
  { source, account }: { source: Alias; account: Alias },
): Record<string, unknown> {
  const renamed = (of: Readonly<Record<string, number>>, alias: Alias) =>
    Object.fromEntries(
      Object.entries(of).map(([name, limit]) => [name === 'api' ? name : alias(name), limit]),
    );
  const { sources, accounts, ...each } = scheduling.limits;
  const { chainMinutes, settleMinutes, reopenMinutes, suspectHours, connected } = incidents;
  return {
    limits,
    lease,
    scheduling: {
      ...scheduling,
      limits: { ...each, sources: renamed(sources, source), accounts: renamed(accounts, account) },
    },
    incidents: {
      chainMinutes,
      settleMinutes,
      reopenMinutes,
      suspectHours,
      connected: connected.map((rule) => ({ accounts: rule.accounts.map((name) => account(name)) })),
    },
  };
}
