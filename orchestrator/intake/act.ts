// Does what an item wants, once it is believed: a task, a message to the one that its subject has, or nothing and why.
// Used by decide.ts and approval.ts, in their transaction.
import { AutocodeError } from '../../protocol/errors.ts';
import { TaskInput } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { takeSignal } from '../incidents/take.ts';
import type { RegisteredRepository } from '../repos/importable.ts';
import { keyOf } from '../repos/issue-task.ts';
import { createTask } from '../tasks/create.ts';
import { postMessage } from '../tasks/reopen.ts';
import type { DecideDeps, Decision } from './decide.ts';
import { repositoriesAt } from './repositories-at.ts';
import { signalOf } from './signal-of.ts';
import type { Source } from './source.ts';
import { taskOf } from './task-of.ts';
import { messageText, taskBody, titleOf } from './wording.ts';
import type { WorkItem } from './work-item.ts';

/** The run that goes on takes no message any more, and its task has not ended: the delivery is to be tried again. */
export class NotYet extends Error {}

/** Acts on an item. What cannot be done as things are becomes `ignored`, in the words of whoever refused it. */
export async function act(
  tx: Queryable,
  deps: DecideDeps,
  { source, scope }: { source: Source; scope: string },
  item: WorkItem,
): Promise<Decision> {
  await tx.query('savepoint item');
  try {
    return await attempt(tx, deps, { source, scope }, item);
  } catch (error) {
    if (!(error instanceof AutocodeError) || error.status >= 500) throw error;
    await tx.query('rollback to savepoint item');
    return {
      verdict: 'ignored',
      reason: [error.message, error.remedy].filter(Boolean).join(' '),
      task: null,
    };
  }
}

async function attempt(
  tx: Queryable,
  deps: DecideDeps,
  { source, scope }: { source: Source; scope: string },
  item: WorkItem,
): Promise<Decision> {
  if (item.kind === 'signal')
    return await takeSignal(tx, deps, signalOf(source, scope, item, deps.incidents));
  const repository = item.place === undefined ? undefined : await repositoryOf(tx, source, item.place);
  // The task of an issue is found by the issue's own key, also where a person has made it.
  const opens = item.kind === 'task' && item.issue !== undefined;
  const found = opens ? undefined : await taskOf(tx, scope, item, repository?.id);
  if (found !== undefined && (item.kind === 'message' || !found.over))
    return await say(tx, source, item, found.task);
  if (item.kind === 'message') return ignored('It belongs to no task.');
  return await make(tx, deps, source, item, repository);
}

function ignored(reason: string): Decision {
  return { verdict: 'ignored', reason, task: null };
}

async function say(tx: Queryable, { name, trust }: Source, item: WorkItem, task: number): Promise<Decision> {
  const { rows } = await tx.query<{ count: number }>(
    `select count(*)::int as count from intake_item where task = $1 and verdict = 'reopened'`,
    [task],
  );
  const author = item.actor === null ? name : `${item.actor.slice(0, 100)} (${name})`;
  const said = { author, text: messageText(item) };
  const posted = await postMessage(tx, task, said, rows[0]!.count < trust.reopenings);
  if (posted === 'later') throw new NotYet();
  return { verdict: posted, reason: null, task };
}

async function make(
  tx: Queryable,
  deps: DecideDeps,
  source: Source,
  item: WorkItem,
  repository: RegisteredRepository | undefined,
): Promise<Decision> {
  const project = item.project ?? repository?.project ?? source.project;
  if (project === null) return ignored(`Neither the item nor the source ${source.name} names a project.`);
  const { issue, place } = item;
  const input = TaskInput.parse({
    project,
    title: titleOf(item),
    body: taskBody(item),
    priority: item.priority ?? 0,
    idempotencyKey: issue === undefined ? undefined : keyOf(issue.url),
  });
  const { task, created } = await createTask(tx, input, {
    ...deps.defaults,
    actor: item.actor === null ? source.name : `${item.actor.slice(0, 100)} (${source.name})`,
    from: { source: source.name, class: source.kind === 'schedule' ? 'schedule' : 'ticket' },
    ...(issue === undefined || place === undefined || repository === undefined
      ? {}
      : { source: { url: issue.url, forge: place.forge, repository: repository.id, number: issue.number } }),
  });
  if (created) return { verdict: 'created', reason: null, task: task.id };
  return { verdict: 'duplicate', reason: `The issue has task ${task.id} already.`, task: task.id };
}

async function repositoryOf(
  tx: Queryable,
  source: Source,
  place: NonNullable<WorkItem['place']>,
): Promise<RegisteredRepository> {
  const { forge, path } = place;
  const [first, second] = await repositoriesAt(tx, source, place);
  if (first !== undefined && (second === undefined || second.project === first.project)) return first;
  if (first === undefined)
    throw new AutocodeError('ERR_NOT_FOUND', `No project has the repository ${path} of ${forge}.`, {
      remedy: `Register it: \`autocode project import ${forge} --match ${path}\`.`,
    });
  throw new AutocodeError('ERR_CONFLICT', `Several projects have the repository ${path} of ${forge}.`, {
    remedy: `Name one with the source ${source.name}.`,
  });
}
