// Tells those who asked for work what became of it: one comment a task, which changes as the task goes on. What was told is
// compared with what is to be told, so that a crash anywhere is made good by the next look; a comment that was written and not
// noted is found by its mark. A chore of the scheduler (daemon/intake.ts).
import { createHash } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';
import { transaction, type Database, type Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import type { AnswerDeps, AnswerPlace, TaskToTell } from './answering.ts';
import { openSources, type OpenSource } from './sources.ts';

interface Candidate extends Omit<TaskToTell, 'mark'> {
  source: string;
  mark: string | null;
  comment: string | null;
  told: string | null;
  tries: number;
}

const RETRY_SECONDS = 5 * 60;
/** Who may not is asked to try so often, at longer and longer intervals. */
const DENIED_TRIES = 5;

/** Tells what is new. */
export async function answerTasks(deps: AnswerDeps & { db: Database }, signal: AbortSignal): Promise<void> {
  const sources = (await openSources(deps.db)).filter(({ kind, source }) => kind.answers?.wanted(source));
  if (sources.length === 0) return;
  const names = sources.map(({ source }) => source.name);
  for (const each of await candidates(deps.db, names)) {
    if (signal.aborted) return;
    const mark = each.mark ?? (await reserve(deps.db, each.task));
    await tell(
      deps,
      sources.find(({ source }) => source.name === each.source)!,
      { ...each, mark },
      signal,
    );
  }
}

// What has changed within the day, and what could not be told then and is to be tried again.
async function candidates(db: Queryable, sources: string[]): Promise<Candidate[]> {
  const { rows } = await db.query<Candidate>(
    `select distinct on (task.id) item.source, item.subject, task.id as task, task.state, task.reason, task.source as issue,
       task.pending_reason as "pendingReason", task.created_at as "createdAt", changes.list as changes, last.summary,
       last.submission, answer.mark, answer.comment, answer.told, coalesce(answer.tries, 0) as tries
     from intake_item item
     join task on task.id = item.task
     left join intake_answer answer on answer.task = task.id
     left join lateral (
       select plan ->> 'summary' as summary, case when state = 'submitting' then reason end as submission
       from run where run.task = task.id order by fence desc limit 1) last on true
     cross join lateral (
       select coalesce(jsonb_agg(jsonb_build_object('id', change.id, 'title', title, 'url', url, 'state', change.state,
           'place', jsonb_build_object('origin', origin, 'forge', change.forge, 'branch', branch, 'commit', head_commit),
           'passed', (select count(*) from jsonb_array_elements(run.checks) one where one -> 'head' ->> 'status' = 'passed'),
           'failed', (select count(*) from jsonb_array_elements(run.checks) one where one -> 'head' ->> 'status' not in ('passed', 'not-run')))
           order by change.id) filter (where url is not null), '[]') as list, max(change.updated_at) as at
       from change join run on run.id = change.run join repository on repository.id = change.repository where change.task = task.id) changes
     where item.source = any($1) and item.claims and item.verdict in ('created', 'duplicate') and item.subject is not null
       and item.created_at > now() - interval '30 days'
       and case when answer.retry_at is null then greatest(task.updated_at, changes.at) > now() - interval '1 day'
             else answer.retry_at <= now() end
     order by task.id desc, item.id limit 1000`,
    [sources],
  );
  return rows;
}

// Before anything is written: a comment that nobody noted is looked for by it.
async function reserve(db: Queryable, task: number): Promise<string> {
  const { rows } = await db.query<{ mark: string }>(
    `insert into intake_answer (task) values ($1) on conflict (task) do update set task = $1 returning mark`,
    [task],
  );
  return rows[0]!.mark;
}

async function tell(
  deps: AnswerDeps & { db: Database },
  { source, kind }: OpenSource,
  told: Candidate & { mark: string },
  signal: AbortSignal,
): Promise<void> {
  const text = kind.answers!.text(told);
  // A text that has a secret is stored as another one; what else is told, is told of commits.
  const of = [text, ...told.changes.map(({ place }) => place.commit)];
  const digest = createHash('sha256').update(JSON.stringify(of)).digest('hex');
  if (digest === told.told) return;
  const { task } = told;
  try {
    const place = await kind.answers!.open(source, told, deps);
    const comment = await write(place, told.comment, text, signal);
    await note(deps.db, task, { comment, told: digest, trouble: null, tries: 0, retrySeconds: null });
    await place.after?.(signal);
  } catch (error) {
    if (signal.aborted) return;
    const { message } = error as Error;
    const tries = told.tries + 1;
    const retrySeconds = retryAfter(error, tries);
    deps.log.warn(`the origin of task ${task} could not be answered: ${message}`, { error });
    const last = retrySeconds === null ? digest : told.told;
    await transaction(deps.db, async (tx) => {
      await note(tx, task, { comment: told.comment, told: last, trouble: message, tries, retrySeconds });
      if (retrySeconds === null)
        await emit(tx, { kind: 'intake.unanswered', task, data: { source: source.name, reason: message } });
    });
  }
}

// Whoever deleted the comment gets another only when there is something new to tell.
async function write(
  place: AnswerPlace,
  comment: string | null,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const known = comment ?? (await place.earlier(signal));
  if (known === null) return await place.write(null, text, signal);
  return await place.write(known, text, signal).catch(async (error: unknown) => {
    if (error instanceof AutocodeError && error.code === 'ERR_NOT_FOUND')
      return await place.write(null, text, signal);
    throw error;
  });
}

// Null: not before there is something new. An issue that is gone or locked does not come back by asking.
function retryAfter(error: unknown, tries: number): number | null {
  const code = error instanceof AutocodeError ? error.code : undefined;
  if (code === 'ERR_NOT_FOUND' || code === 'ERR_FORGE_REFUSED') return null;
  if (code !== 'ERR_FORGE_DENIED' && code !== 'ERR_SOURCE_DENIED') return RETRY_SECONDS;
  return tries < DENIED_TRIES ? RETRY_SECONDS * 2 ** (tries - 1) : null;
}

interface Note {
  comment: string | null;
  told: string | null;
  trouble: string | null;
  tries: number;
  retrySeconds: number | null;
}

async function note(db: Queryable, task: number, { comment, told, trouble, tries, retrySeconds }: Note) {
  await db.query(
    `update intake_answer set comment = $2, told = $3, trouble = $4, tries = $5, updated_at = now(),
       retry_at = now() + make_interval(secs => $6) where task = $1`,
    [task, comment, told, trouble?.slice(0, 1000) ?? null, tries, retrySeconds],
  );
}
