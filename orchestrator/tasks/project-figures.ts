// How much there is to do in each project. Used by the API, for the list of projects.
import type { ProjectFigures } from '../../protocol/project.ts';
import type { Queryable } from '../db/connect.ts';

/** Of all projects in use, or of those `among` these ids. */
export async function projectFigures(db: Queryable, among?: number[]): Promise<ProjectFigures[]> {
  const { rows } = await db.query<ProjectFigures>(
    `select p.name as project, coalesce(t.waiting, 0)::int as waiting, coalesce(t.queued, 0)::int as queued,
         coalesce(t.running, 0)::int as running
       from project p left join (
         select project, count(*) filter (where state = 'pending') as waiting, count(*) filter (where state = 'queued') as queued,
             count(*) filter (where state = 'running') as running
           from task where state in ('pending', 'queued', 'running') group by project) t on t.project = p.id
      where p.archived_at is null and ($1::bigint[] is null or p.id = any($1)) order by p.name`,
    [among ?? null],
  );
  return rows;
}
