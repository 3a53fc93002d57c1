// Tasks that failed and that nobody tries again by itself: their retries are used up, or another try would end the same way.
// `retryTask` gives one another run. Used by the API.
import type { DeadLetter } from '../../protocol/scheduling.ts';
import type { Queryable } from '../db/connect.ts';
import { getProject } from './projects.ts';

/** Those that ended last first; `before` is the number of the last task seen. */
export async function listDeadLetters(
  db: Queryable,
  want: { project?: string | undefined; limit: number; before?: number | undefined },
): Promise<DeadLetter[]> {
  if (want.project !== undefined) await getProject(db, want.project); // tells an unknown name
  const { rows } = await db.query<Omit<DeadLetter, 'finishedAt'> & { finishedAt: Date }>(
    `select t.id as task, p.name as project, t.title, r.id as run, t.retries, t.reason, r.cause,
       case when r.state = 'out-of-budget' then 'out-of-budget'
         when coalesce(r.cause, 'input') = 'input' then 'refused'
         else 'retries-used-up' end as why,
       t.finished_at as "finishedAt"
     from task t join project p on p.id = t.project left join run r on r.task = t.id and r.fence = t.attempt
     where t.state = 'failed' and t.replay_of is null and ($1::text is null or p.name = $1)
       and ($2::bigint is null or (t.finished_at, t.id) < (select finished_at, id from task where id = $2))
     order by t.finished_at desc, t.id desc limit $3`,
    [want.project ?? null, want.before ?? null, want.limit],
  );
  return rows.map((row) => ({ ...row, finishedAt: row.finishedAt.toISOString() }));
}
