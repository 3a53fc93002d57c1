// The task that investigates an incident in a project: made with its first alarm there, told of the later ones, opened again
// with the incident. One run is enough for an incident: what comes after its end waits for the next one. Used by take.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import { MOST_REPOSITORIES } from '../../protocol/project.ts';
import { TaskInput } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { createTask, type TaskDefaults } from '../tasks/create.ts';
import { insertMessage } from '../tasks/messages.ts';
import { arrangeQueue, lockTask, WAITS } from '../tasks/queue.ts';
import { postMessage } from '../tasks/reopen.ts';
import { moveTask } from '../tasks/task-state.ts';
import { sayNeed } from './announce.ts';
import type { FoundIncident } from './find.ts';
import type { IncidentRules } from './rules.ts';
import type { Signal } from './signal.ts';
import { suspectsText } from './suspects.ts';

/** What an account may be called without quotes, and what stands in no name. */
const SIMPLE = /^[\w.:/-]{1,60}$/;
const NO_NAME = /[^\p{L}\p{N} _.:/@#-]/gu;

/** What investigations are made with. */
export interface InvestigationDeps {
  defaults: Omit<TaskDefaults, 'actor' | 'source' | 'from'>;
  incidents: IncidentRules;
}

/** A task of an incident; `dropped` when it was cancelled before it began, since everything was over. */
export interface Investigation {
  task: number;
  dropped: boolean;
}

/** What became of a signal with its task, and the reason where no run comes of it. */
export interface Told {
  verdict: 'created' | 'appended' | 'reopened';
  task: number;
  reason: string | null;
}

/** The task that investigates an incident in a project: the newest one that no merge has put aside. */
export async function investigationOf(
  tx: Queryable,
  incident: number,
  project: string,
): Promise<Investigation | undefined> {
  const { rows } = await tx.query<Investigation>(
    `select task, dropped_at is not null as dropped from incident_task
      where incident = $1 and project = (select id from project where name = $2) and not superseded order by task desc limit 1`,
    [incident, project],
  );
  return rows[0];
}

/** Makes the task of an incident in a project, over all that the connected accounts have there. */
export async function beginInvestigation(
  tx: Queryable,
  deps: InvestigationDeps,
  { incident, project, at }: { incident: number; project: string; at: Date },
  signal: Signal,
): Promise<Told> {
  const { accounts, suspectHours } = deps.incidents;
  const group = new Set([signal.account, ...accounts.groupOf(signal.account)]);
  const own = [...group].map((each) => accounts.of(each)).filter((each) => each?.project === project);
  const repositories = own.every((each) => each?.repositories !== undefined)
    ? [...new Set(own.flatMap((each) => each?.repositories ?? []))]
    : [];
  const input = TaskInput.parse({
    project,
    title: signal.title,
    body: signal.body,
    kind: 'investigate',
    ...(repositories.length > 0 && { repositories: repositories.slice(0, MOST_REPOSITORIES) }),
  });
  const { task } = await createTask(tx, input, {
    ...deps.defaults,
    actor: signal.author,
    from: { source: signal.source, class: 'incident', account: signal.account },
  });
  const environment = accounts.of(signal.account)?.environment ?? null;
  const about = [
    signal.body,
    incidentText(incident, signal.account, deps.incidents),
    await suspectsText(tx, task.id, at, suspectHours),
  ];
  await tx.query('update task set body = $2, environment = $3 where id = $1', [
    task.id,
    about.join('\n\n'),
    environment,
  ]);
  await tx.query(
    'insert into incident_task (task, incident, project) select id, $2, project from task where id = $1',
    [task.id, incident],
  );
  return { verdict: 'created', task: task.id, reason: null };
}

function incidentText(incident: number, account: string, { accounts }: IncidentRules): string {
  const shown = (each: string) => {
    const own = accounts.of(each);
    if (own === undefined) return SIMPLE.test(each) ? each : `“${each.replaceAll(NO_NAME, '')}”`; // from outside
    return own.name === undefined ? each : `${each} (${own.name})`;
  };
  const group = accounts.groupOf(account);
  const others = group.filter((each) => each !== account).map(shown);
  const reasons = accounts.reasonsFor(group);
  const connected =
    others.length === 0
      ? ''
      : ` It is connected with ${others.slice(0, 50).join(', ')}${reasons.length === 0 ? '' : ` (${reasons.join('; ')})`}: alarms of all of them belong to this incident.`;
  return `This is incident ${incident}, of the account ${shown(account)}.${connected}`;
}

/** Leaves a message for the agent at work, or for the next run; answers why not, when it cannot be left. */
export async function tellInvestigation(
  tx: Queryable,
  task: number,
  { author, message: text }: Pick<Signal, 'author' | 'message'>,
): Promise<string | null> {
  try {
    await insertMessage(tx, await lockTask(tx, task), { author, text });
    return null;
  } catch (error) {
    return whyNot(error);
  }
}

/** Gives the task of an incident that is open again another run; where its change is merged or closed, a new task. */
export async function goOnInvestigating(
  tx: Queryable,
  deps: InvestigationDeps,
  { incident, project, at }: { incident: FoundIncident; project: string; at: Date },
  { task, dropped }: Investigation,
  signal: Signal,
): Promise<Told> {
  if (dropped) return await takeUp(tx, task, signal);
  const { state } = await lockTask(tx, task);
  const ended = state === 'completed' || state === 'failed';
  const mayReopen = incident.reopened < signal.reopenings;
  if (ended && mayReopen && (await hasChangeThatIsOver(tx, task)))
    return await beginInvestigation(tx, deps, { incident: incident.id, project, at }, signal);
  try {
    const posted = await postMessage(tx, task, { author: signal.author, text: signal.message }, mayReopen);
    if (posted !== 'later') return { verdict: posted, task, reason: null };
    return {
      verdict: 'appended',
      task,
      reason: await tellInvestigation(tx, task, signal),
    };
  } catch (error) {
    const reason = whyNot(error);
    await sayNeed(tx, incident.id, task, reason);
    return { verdict: 'appended', task, reason };
  }
}

async function takeUp(tx: Queryable, task: number, signal: Signal): Promise<Told> {
  const locked = await lockTask(tx, task);
  await tx.query('update incident_task set dropped_at = null where task = $1', [task]);
  const reason = await tellInvestigation(tx, task, signal);
  if (locked.state !== 'cancelled') return { verdict: 'appended', task, reason }; // a person gave it a run meanwhile
  await moveTask(tx, task, { state: 'pending', pendingReason: 'repository', reason: WAITS, retries: {} });
  await arrangeQueue(tx, locked.project);
  return { verdict: 'reopened', task, reason };
}

async function hasChangeThatIsOver(tx: Queryable, task: number): Promise<boolean> {
  const { rowCount } = await tx.query(`select from change where task = $1 and state <> 'open'`, [task]);
  return rowCount !== 0;
}

function whyNot(error: unknown): string {
  if (!(error instanceof AutocodeError) || error.status >= 500) throw error;
  return error.message;
}
