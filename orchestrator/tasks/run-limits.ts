// How many runs may be at work at a time: for a source, a project and an account. A task that finds none left waits as pending(limit),
// out of the way of others, until the sweep takes it up. Used by the claim, the sweep and explanations.
import type { SchedulingSettings } from '../config/scheduling-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { arrangeQueue } from './queue.ts';
import { moveTask } from './task-state.ts';

export type RunLimitSettings = SchedulingSettings['limits'];

/** What tells which limits bind a task. */
export interface Limited {
  project: number;
  projectName: string;
  sourceName: string;
  account: string | null;
  /** The project's own. */
  maxRuns: number | null;
}

/** A limit, and under which name tasks wait for it. */
export interface RunLimit {
  key: string;
  limit: number;
  /** `source alarms` */
  whose: string;
  setting: string;
}

/** What people and programs give has no limit for each source, but for one of its own. */
const OWN_SOURCE = 'api';
/** Claims that count the same runs do so one after the other; the number is of no meaning. */
const COUNT_LOCK = 7_404;

/** The limits that bind a task. */
export function limitsOf(task: Limited, settings: RunLimitSettings): RunLimit[] {
  const { project, projectName, sourceName, account, maxRuns } = task;
  const ofProject = maxRuns ?? settings.perProject;
  const limits = [
    limitOf('source', sourceName, settings),
    account === null ? undefined : limitOf('account', account, settings),
  ];
  const own: RunLimit | undefined =
    ofProject === undefined
      ? undefined
      : {
          key: `project:${project}`,
          limit: ofProject,
          whose: `project ${projectName}`,
          setting:
            maxRuns === null ? 'scheduling.limits.perProject' : `project set ${projectName} --max-runs`,
        };
  return [...limits, own].filter((limit) => limit !== undefined);
}

/** The limit that tasks wait for under this name, as configured now. */
export function limitNamed(key: string, settings: RunLimitSettings): number | undefined {
  const [kind, name] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)];
  if (kind === 'source' || kind === 'account') return limitOf(kind, name, settings)?.limit;
  return settings.perProject;
}

/** The limit of a source or an account, if there is one. */
function limitOf(kind: 'source' | 'account', name: string, settings: RunLimitSettings): RunLimit | undefined {
  const { sources, accounts, perSource, perAccount } = settings;
  const named = kind === 'source' ? sources : accounts;
  const single = Object.hasOwn(named, name) ? named[name] : undefined;
  const each = kind === 'account' ? perAccount : name === OWN_SOURCE ? undefined : perSource;
  const limit = single ?? each;
  if (limit === undefined) return undefined;
  const setting =
    single === undefined
      ? `scheduling.limits.per${kind === 'source' ? 'Source' : 'Account'}`
      : `scheduling.limits.${kind}s`;
  return { key: `${kind}:${name}`, limit, whose: `${kind} ${name}`, setting };
}

/** Waits until no other claim counts for the same limits; the project's is under the project's lock. */
export async function holdLimits(tx: Queryable, limits: RunLimit[]): Promise<void> {
  for (const { key } of limits)
    await tx.query('select pg_advisory_xact_lock($1, hashtext($2))', [COUNT_LOCK, key]);
}

/** The first of these limits that is reached. */
export async function reachedLimit(db: Queryable, limits: RunLimit[]): Promise<RunLimit | undefined> {
  if (limits.length === 0) return undefined;
  const running = await activeBy(db, ['running']);
  return limits.find(({ key, limit }) => (running.get(key) ?? 0) >= limit);
}

/** How many tasks are in these states, by the names of the limits that they count in. */
export async function activeBy(
  db: Queryable,
  states: ('running' | 'queued')[],
): Promise<Map<string, number>> {
  const { rows } = await db.query<{ key: string; count: number }>({
    name: `active-by-${states.join('-')}`,
    text: `select key, count(*)::int as count from task
        cross join lateral unnest(array['source:' || source_name, 'account:' || account, 'project:' || project]) key
      where ${states.map((state) => `state = '${state}'`).join(' or ')} group by key`,
  });
  return new Map(rows.map(({ key, count }) => [key, count]));
}

/** Why a task waits for a limit. */
export function limitText({ limit, whose, setting }: RunLimit): string {
  return `${limit === 1 ? 'The one run' : `The ${limit} runs`} that ${whose} may have at a time ${limit === 1 ? 'is' : 'are'} at work (${setting}).`;
}

/** Takes a queued task out of the queue until there is room under the limit. */
export async function awaitLimit(
  tx: Queryable,
  task: { id: number; project: number },
  limit: RunLimit,
): Promise<void> {
  const reason = limitText(limit);
  await moveTask(tx, task.id, { state: 'pending', pendingReason: 'limit', heldBy: limit.key, reason });
  await arrangeQueue(tx, task.project);
}
