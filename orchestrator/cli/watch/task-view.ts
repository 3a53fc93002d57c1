// A task as people watch it: its states, and its runs as run-view.ts shows them. Used by `task watch` and the demo.
import type { Event } from '../../../protocol/event.ts';
import { Plan } from '../../../protocol/run.ts';
import type { Task } from '../../../protocol/task.ts';
import { oneLine } from '../format.ts';
import { paint } from '../output.ts';
import { styleOf } from '../states.ts';
import { openScreen } from './screen.ts';
import { viewRun, type RunView } from './run-view.ts';
import type { TaskNews } from './task-stream.ts';

/** Shows news of a task on stdout. */
export function viewTask(task: Pick<Task, 'id' | 'title'>, options: { verbose: boolean; outcome?: boolean }) {
  const screen = openScreen(process.stdout);
  const runs = new Map<string, RunView>();
  const planned = new Set<string>();
  screen.line(paint('bold', `Task ${task.id}: ${oneLine(task.title)}`));

  function showEvent(event: Event): void {
    const to = typeof event.data.to === 'string' ? event.data.to : '';
    const reason =
      typeof event.data.reason === 'string' && event.data.reason !== ''
        ? ` – ${oneLine(event.data.reason)}`
        : '';
    if (event.kind === 'run.created') screen.line(`Run ${event.run ?? ''}`);
    else if (event.kind === 'run.plan') showPlan(event);
    else if (event.kind === 'change.opened')
      screen.line(`  ${paint('green', '✓')} change opened${changeNumber(event)}`);
    else if (event.kind === 'task.message') showMessage(event);
    else if (event.kind === 'task.state' && event.data.pendingReason === 'approval') askForApproval();
    else if (event.kind === 'task.state' && (to === 'pending' || to === 'queued')) {
      screen.line(paint('dim', `${to}${reason}`));
      screen.status(() => (to === 'queued' ? 'waiting for a worker' : `waiting${reason}`));
    } else if (event.kind === 'run.state' && options.verbose)
      screen.line(paint('dim', `  run ${event.run ?? ''}: ${to}${reason}`));
    else if (event.kind === 'run.state' && to === 'submitting') screen.status(() => 'submitting');
    else if (event.kind === 'run.state' && styleOf(to) === 'red')
      screen.paragraph(`  ${paint('red', '✗')} `, `run ${event.run ?? ''} ${to}${reason}`);
  }

  function showMessage({ run, data }: Event): void {
    if (typeof data.text === 'string')
      screen.paragraph(`  ${paint('cyan', `${String(data.author)}:`)} `, oneLine(data.text));
    else screen.line(paint('dim', `  delivered to the agent of run ${run ?? ''}`));
  }

  function askForApproval(): void {
    screen.line(paint('yellow', 'Its plan waits for approval:'));
    for (const line of approvalCommands(task.id)) screen.line(`  ${line}`);
    screen.status(() => 'waiting for approval');
  }

  function showPlan(event: Event): void {
    const plan = Plan.safeParse(event.data.plan);
    if (!plan.success || event.run === null || planned.has(event.run)) return;
    planned.add(event.run);
    screen.paragraph(`    ${paint('dim', 'plan')} `, oneLine(plan.data.summary));
    plan.data.steps.forEach((step, at) => screen.paragraph(`      ${at + 1}. `, oneLine(step.title)));
  }

  return {
    show(news: TaskNews): void {
      if (news.type === 'event') return showEvent(news.event);
      if (news.type === 'run') {
        const view = runs.get(news.run) ?? viewRun(screen, options);
        runs.set(news.run, view);
        return view.show(news.event);
      }
      screen.status(null);
      if (options.outcome !== false) screen.line(outcome(news.task));
    },
    close: () => screen.close(),
  };
}

/** What a person may do about a plan. */
export function approvalCommands(task: number): string[] {
  return [
    `autocode task approve ${task}`,
    `autocode task reject ${task} --message "…"`,
    `autocode task cancel ${task}`,
  ];
}

function changeNumber(event: Event): string {
  const number = event.data.change ?? event.data.id;
  return typeof number === 'number' ? `: ${number}` : '';
}

/** The last line: what became of the task. */
function outcome(task: Task): string {
  const reason = task.reason === null ? '' : ` – ${oneLine(task.reason)}`;
  const next =
    task.changes[0] !== undefined
      ? `See \`autocode change show ${task.changes[0]}\`.`
      : task.state === 'failed'
        ? `See \`autocode task logs ${task.id}\`.`
        : '';
  return `${paint(styleOf(task.state), `Task ${task.id} ${task.state}`)}${reason}${next === '' ? '' : `. ${next}`}`.replace(
    '..',
    '.',
  );
}
