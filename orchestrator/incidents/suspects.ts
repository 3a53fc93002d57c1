// What may have caused an incident: changes that were merged in the task's repositories shortly before. Used by investigation.ts.
import type { Queryable } from '../db/connect.ts';
import { oneLine, quoted } from '../tasks/outside-text.ts';

const MOST = 20;

interface Merged {
  id: number;
  repository: string;
  title: string;
  at: Date;
  url: string | null;
}

/** The merged changes as text for the task; their titles are quoted, since they stem from issues and agents. */
export async function suspectsText(tx: Queryable, task: number, at: Date, hours: number): Promise<string> {
  const { rows } = await tx.query<Merged>(
    `select c.id, r.name as repository, c.title, c.closed_at as at, c.url
       from task_repository t join repository r on r.id = t.repository join change c on c.repository = r.id
      where t.task = $1 and c.state = 'merged' and c.closed_at between $2::timestamptz - make_interval(secs => $3) and now()
      order by c.closed_at desc limit ${MOST}`,
    [task, at, hours * 3600],
  );
  const since = new Date(at.getTime() - hours * 3600_000).toISOString();
  const others = `The histories of the repositories tell the others: \`git log --since=${since}\`.`;
  if (rows.length === 0) return `No change that was made here was merged in the ${hours} h before. ${others}`;
  const lines = rows.map(
    (each) =>
      `${each.at.toISOString()} ${each.repository}, change ${each.id}${each.url === null ? '' : ` (${each.url})`}: ${oneLine(each.title)}`,
  );
  return `Changes that were merged since ${hours} h before, the last one first; any of them may be the cause:\n\n${quoted(lines.join('\n'))}\n\n${others}`;
}
