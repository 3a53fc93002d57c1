// Reacts to the comments that asked for something: that they were seen, and whether it was done. A chore of the scheduler
// (daemon/intake.ts).
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';
import type { AnswerDeps, Reaction } from './answering.ts';
import { openSources } from './sources.ts';

interface Candidate {
  item: number;
  source: string;
  key: string;
  subject: string;
  reaction: Reaction;
}

const RETRY_SECONDS = 5 * 60;

/** Reacts to what is new; a reaction that is refused is left out. */
export async function reactToComments(deps: AnswerDeps, signal: AbortSignal): Promise<void> {
  const sources = (await openSources(deps.db)).filter(
    ({ kind, source }) => kind.answers?.react !== undefined && kind.answers.wanted(source),
  );
  if (sources.length === 0) return;
  const names = sources.map(({ source }) => source.name);
  for (const { item, source: name, reaction, ...about } of await candidates(deps.db, names)) {
    const { source, kind } = sources.find((each) => each.source.name === name)!;
    let retrySeconds: number | null = null;
    try {
      await kind.answers!.react!(source, about, reaction, deps, signal);
    } catch (error) {
      if (signal.aborted) return;
      deps.log.warn(`the comment of item ${item} could not be reacted to`, { error });
      const refused = error instanceof AutocodeError && error.code !== 'ERR_FORGE_UNAVAILABLE';
      retrySeconds = refused ? null : RETRY_SECONDS;
    }
    await note(deps.db, item, reaction, retrySeconds);
  }
}

// What was done or failed stays so: what comes later is another comment's.
async function candidates(db: Queryable, sources: string[]): Promise<Candidate[]> {
  const { rows } = await db.query<Candidate>(
    `select item.id as item, item.source, item.key, item.subject, now.reaction
     from intake_item item
     join task on task.id = item.task
     cross join lateral (select case when task.state = 'completed' then 'done'
         when task.state in ('failed', 'cancelled') then 'failed' else 'seen' end as reaction) now
     left join intake_reaction last on last.item = item.id
     where item.source = any($1) and item.claims and item.verdict in ('created', 'appended', 'reopened')
       and item.subject is not null and (item.key like '% comment %' or item.key like '% review % line-%')
       and item.created_at > now() - interval '30 days'
       and case when last.item is null then true when last.retry_at is not null then last.retry_at <= now()
             else last.told = 'seen' and now.reaction <> 'seen' end
     order by item.id desc limit 200`,
    [sources],
  );
  return rows;
}

async function note(db: Queryable, item: number, told: Reaction, retrySeconds: number | null): Promise<void> {
  await db.query(
    `insert into intake_reaction (item, told, retry_at) values ($1, $2, now() + make_interval(secs => $3))
     on conflict (item) do update set told = $2, retry_at = excluded.retry_at`,
    [item, told, retrySeconds],
  );
}
