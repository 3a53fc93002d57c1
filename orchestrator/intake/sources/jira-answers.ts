// Tells Jira what became of its issues' tasks: one comment a task, which is changed as the task goes on, and a link to each pull
// request. What was told is compared with what is to be told, so that a crash anywhere is made good by the next look; a comment
// that was written and not noted is found by its first words. A chore of the scheduler (daemon/intake.ts).
import { AutocodeError } from '../../../protocol/errors.ts';
import type { TaskState } from '../../../protocol/task.ts';
import type { Queryable } from '../../db/connect.ts';
import type { SourceDeps, Source } from '../source.ts';
import { openSource } from '../sources.ts';
import { openJira, type Jira } from './jira-client.ts';
import { OWN_COMMENT } from './jira-events.ts';
import type { JiraSettings } from './jira-settings.ts';
import { plainText } from './jira-text.ts';

type Deps = Pick<SourceDeps, 'db' | 'secret' | 'log'>;

interface Told {
  source: string;
  issue: string;
  task: number;
  state: TaskState;
  reason: string | null;
  changes: { id: number; title: string; url: string; state: string }[];
  comment: string | null;
  told: string | null;
}

/** Tells what is new. */
export async function answerJira(deps: Deps, signal: AbortSignal): Promise<void> {
  const clients = new Map<string, Promise<Jira>>();
  for (const each of await candidates(deps.db)) {
    const text = textOf(each);
    if (text === each.told) continue;
    if (signal.aborted) return;
    if (!clients.has(each.source)) clients.set(each.source, clientOf(deps, each.source));
    await tell(deps, clients.get(each.source)!, each, text, signal);
  }
}

async function clientOf(deps: Deps, name: string): Promise<Jira> {
  const opened = await openSource(deps.db, name);
  return await openJira(opened!.source as Source<JiraSettings>, deps);
}

// What has changed within the day, and what could not be told then; that is tried again every five minutes.
async function candidates(db: Queryable): Promise<Told[]> {
  const { rows } = await db.query<Told>(
    `select s.name as source, substr(item.subject, length('issue|') + 1) as issue, task.id as task, task.state, task.reason,
       changes.list as changes, answer.comment, answer.told
     from intake_source s
     join intake_item item on item.source = s.name and item.claims and item.created_at > now() - interval '30 days'
     join task on task.id = item.task
     left join intake_answer answer on answer.task = task.id
     cross join lateral (
       select coalesce(jsonb_agg(jsonb_build_object('id', id, 'title', title, 'url', url, 'state', state) order by id)
           filter (where url is not null), '[]') as list, max(updated_at) as at
       from change where change.task = task.id) changes
     where s.kind = 'jira' and s.settings ? 'token' and s.paused_at is null and item.verdict = 'created'
       and case when answer.trouble is null
             then answer.task is null or greatest(task.updated_at, changes.at) > now() - interval '1 day'
             else answer.updated_at < now() - interval '5 minutes' end
     order by item.id limit 1000`,
  );
  return rows;
}

async function tell(
  deps: Deps,
  client: Promise<Jira>,
  told: Told,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  const { task, issue, changes } = told;
  try {
    const jira = await client;
    const comment = await write(jira, told, text, signal);
    await note(deps.db, task, { comment, told: text, trouble: null });
    for (const { id, title, url } of changes)
      await jira.link(issue, `autocode-change-${id}`, { url, title }, signal);
  } catch (error) {
    if (signal.aborted) return;
    const { message } = error as Error;
    const gone = error instanceof AutocodeError && error.code === 'ERR_NOT_FOUND';
    deps.log.warn(`the issue of task ${task} could not be answered: ${message}`, { error });
    await note(deps.db, task, {
      comment: told.comment,
      told: gone ? text : told.told,
      trouble: gone ? null : message,
    });
  }
}

// Whoever deleted the comment gets another only when there is something new to tell.
async function write(
  jira: Jira,
  { task, issue, comment }: Told,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const known = comment ?? (await earlier(jira, task, issue, signal));
  if (known === null) return await jira.comment(issue, null, text, signal);
  return await jira.comment(issue, known, text, signal).catch(async (error: unknown) => {
    if (error instanceof AutocodeError && error.code === 'ERR_NOT_FOUND')
      return await jira.comment(issue, null, text, signal);
    throw error;
  });
}

async function earlier(jira: Jira, task: number, issue: string, signal: AbortSignal): Promise<string | null> {
  const comments = await jira.comments(issue, signal);
  const ours = comments.find(
    ({ body }) => OWN_COMMENT.exec(plainText(body))?.[0] === `Autocode, task ${task}:`,
  );
  return ours?.id ?? null;
}

async function note(
  db: Queryable,
  task: number,
  { comment, told, trouble }: { comment: string | null; told: string | null; trouble: string | null },
): Promise<void> {
  await db.query(
    `insert into intake_answer (task, comment, told, trouble) values ($1, $2, $3, $4)
     on conflict (task) do update set comment = $2, told = $3, trouble = $4, updated_at = now()`,
    [task, comment, told, trouble],
  );
}

const WORDS: Record<TaskState, string> = {
  pending: 'it waits',
  queued: 'it waits for a worker',
  running: 'an agent is at work',
  completed: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};

function textOf({ task, state, reason, changes }: Told): string {
  const why = reason === null || state === 'queued' || state === 'running' ? '' : ` ${escaped(reason)}`;
  const links = changes.map(
    (change) => `\nPull request: ${escaped(change.title)}, ${change.state}: [${change.url}]`,
  );
  return `Autocode, task ${task}: ${WORDS[state]}.${why}${links.join('')}`;
}

// Nothing in it is markup: no mention of anybody, no picture.
function escaped(text: string): string {
  return text.slice(0, 1000).replaceAll(/[\\{}[\]|*~^!]/g, '\\$&');
}
