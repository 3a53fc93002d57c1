// `autocode task show`.
import { z } from 'zod';
import { TaskMessage } from '../../../protocol/message.ts';
import { Run, type Plan } from '../../../protocol/run.ts';
import { Explanation } from '../../../protocol/scheduling.ts';
import { Task } from '../../../protocol/task.ts';
import { connect, type Client } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { printable, relativeTime } from '../format.ts';
import { currencyOf } from '../money/currency.ts';
import { block, paint, print, printJson } from '../output.ts';
import { drawReport } from '../incident/report.ts';
import { drawRuns } from '../run/table.ts';
import { styleOf, taskState } from '../states.ts';
import { approvalCommands } from '../watch/task-view.ts';

/** Shows a task and its runs; with --json the task with `runs` and `messages` added. */
export async function showTask(args: GlobalArgs & { task: number }): Promise<void> {
  const client = connect(args);
  const task = await client.get(`/tasks/${args.task}`, Task);
  const runs = await client.get('/runs', z.array(Run), { task: args.task });
  const messages = await client.get(`/tasks/${args.task}/messages`, z.array(TaskMessage));
  if (args.json) return printJson({ ...task, runs, messages });
  print(`${paint('bold', `Task ${task.id}: ${printable(task.title)}`)}`, '', drawTask(task));
  if (task.body.trim() !== '') print('', printable(task.body).trimEnd());
  if (task.plan !== null) print('', drawPlan(task, task.plan));
  if (messages.length > 0) print('', drawMessages(messages));
  if (runs.length > 0) print('', drawRuns(runs, await currencyOf(client)));
  const report = runs.find((run) => run.report !== null)?.report;
  if (report != null) print('', paint('bold', 'Report'), '', drawReport(report));
  const held = await heldBy(client, task);
  if (held.length > 0) print('', ...held.map((line) => paint('yellow', line)));
  const next = nextStep(task);
  if (next !== null) print('', paint('dim', next));
}

/** What keeps a task from running that its own state does not tell. */
async function heldBy(client: Client, { id, state }: Task): Promise<string[]> {
  if (state !== 'queued' && state !== 'pending') return [];
  const { waits } = await client.get(`/tasks/${id}/explanation`, Explanation);
  return waits
    .filter((wait) => ['drain', 'worker', 'quiet-hours'].includes(wait.for))
    .map(({ why, remedy }) => `${why} ${remedy}`);
}

function placesOf({ repositories }: Task): string {
  const [first] = repositories;
  if (repositories.length === 1) return `branch ${first?.baseBranch}`;
  return `repositories ${repositories.map(({ name, baseBranch }) => `${name} (${baseBranch})`).join(', ')}`;
}

function cameFrom({ sourceName, class: kind, account }: Task): string | null {
  if (kind === 'person') return null;
  return `${kind} of ${sourceName}${account === null ? '' : `, account ${printable(account)}`}`;
}

function drawTask(task: Task): string {
  const limits = Object.entries(task.limits).map(([name, value]) => `${name} ${value}`);
  return block([
    [
      'state',
      paint(styleOf(task.state), taskState(task)) +
        (task.reason === null ? '' : ` – ${printable(task.reason)}`),
    ],
    ['issue', task.source?.url],
    ['came from', cameFrom(task)],
    ['incident', task.incident === null ? null : String(task.incident)],
    ['replay of', task.replayOf === null ? null : `run ${task.replayOf}; its result is not submitted`],
    ['project', `${task.project}, ${placesOf(task)}`],
    ['agent', `${task.agent} with ${task.model}`],
    ['priority', task.priority === 0 ? null : String(task.priority)],
    ['limits', limits.join(', ')],
    ['accept', task.acceptance.map((each) => `- ${printable(each)}`).join('\n')],
    ['files', task.targetFiles.map(printable).join('\n')],
    [task.changes.length > 1 ? 'changes' : 'change', task.changes.join(', ')],
    ['created', `${relativeTime(task.createdAt)} by ${task.createdBy}`],
    ['retries', task.notBefore === null ? null : relativeTime(task.notBefore)],
    ['ended', task.finishedAt === null ? null : relativeTime(task.finishedAt)],
  ]);
}

function drawPlan({ planState }: Task, { summary, steps }: Plan): string {
  const lines = [summary, ...steps.map((step, at) => `${at + 1}. ${step.title}`)];
  return block([[`plan (${planState ?? ''})`, lines.filter(Boolean).map(printable).join('\n')]]);
}

function drawMessages(messages: TaskMessage[]): string {
  return block(
    messages.map(({ author, text, at, run, deliveredAt }) => [
      author,
      `${printable(text)}\n${paint('dim', `${relativeTime(at)}, ${deliveredAt === null ? 'not delivered yet' : `delivered to run ${run ?? ''} ${relativeTime(deliveredAt)}`}`)}`,
    ]),
  );
}

function nextStep(task: Task): string | null {
  if (task.pendingReason === 'approval') return approvalCommands(task.id).join(' · ');
  if (task.pendingReason === 'budget')
    return `autocode budget list · autocode budget set … · autocode task cancel ${task.id}`;
  const [change] = task.changes;
  if (change !== undefined && task.changes.length > 1)
    return `autocode task diff ${task.id} · autocode change show ${change}`;
  if (change !== undefined) return `autocode change show ${change} · autocode change diff ${change}`;
  if (task.state === 'running') return `autocode task watch ${task.id} · autocode task cancel ${task.id}`;
  if (task.state === 'failed') return `autocode task logs ${task.id} · autocode task retry ${task.id}`;
  return null;
}
