// Metrics of the work: tasks, runs, workers, notifications, money. Used by the metrics route.
import { TASK_STATES } from '../../../protocol/task.ts';
import type { Queryable } from '../../db/connect.ts';
import { LIVE_STATES } from '../../tasks/run-state.ts';
import type { Metric } from './exposition.ts';

const UNSENT = ['held', 'waiting'];

/** Counts of what there is now. */
export async function workMetrics(
  db: Queryable,
  { timeZone, currency }: { timeZone: string; currency: string },
): Promise<Metric[]> {
  const [tasks, runs, workers, deliveries, spent] = await Promise.all([
    counts(db, 'select state, count(*)::int from task group by state', []),
    counts(db, 'select state, count(*)::int from run where state = any($1) group by state', [LIVE_STATES]),
    counts(db, 'select state, count(*)::int from worker group by state', []),
    counts(
      db,
      `select state, count(*)::int from notification_delivery where state in ('held','waiting') group by state`,
      [],
    ),
    db.query<{ money: number }>(
      `select coalesce(sum(money), 0)::bigint as money from account_day
       where scope = 'appliance' and day = (now() at time zone $1)::date`,
      [timeZone],
    ),
  ]);
  return [
    gauge('autocode_tasks', 'Tasks by state.', TASK_STATES, tasks),
    gauge('autocode_runs', 'Runs under way by state.', LIVE_STATES, runs),
    gauge('autocode_workers', 'Workers by state.', ['online', 'offline'], workers),
    gauge(
      'autocode_notification_deliveries',
      'Messages that have not gone out yet, by state.',
      UNSENT,
      deliveries,
    ),
    {
      name: 'autocode_spent_today',
      type: 'gauge',
      help: 'What was spent today, in units of the currency of the ledger.',
      samples: [[{ currency }, spent.rows[0]!.money / 1e6]],
    },
  ];
}

function gauge(name: string, help: string, states: readonly string[], found: Map<string, number>): Metric {
  return { name, help, type: 'gauge', samples: states.map((state) => [{ state }, found.get(state) ?? 0]) };
}

async function counts(db: Queryable, sql: string, values: unknown[]): Promise<Map<string, number>> {
  const { rows } = await db.query<{ state: string; count: number }>(sql, values);
  return new Map(rows.map(({ state, count }) => [state, count]));
}
