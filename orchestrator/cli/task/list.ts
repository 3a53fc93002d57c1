// `autocode task list`.
import { z } from 'zod';
import { Task } from '../../../protocol/task.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { relativeTime } from '../format.ts';
import { table } from '../output.ts';
import { show } from '../redraw.ts';
import { styleOf, taskState } from '../states.ts';

interface Args extends GlobalArgs {
  project: string | undefined;
  state: string | undefined;
  limit: number;
  before: number | undefined;
  watch: boolean;
}

/** Lists tasks, newest first. */
export async function listTasks(args: Args): Promise<void> {
  const client = connect(args);
  const { project, state, limit, before } = args;
  await show(args, () => client.get('/tasks', z.array(Task), { project, state, limit, before }), drawTasks);
}

function drawTasks(tasks: Task[]): string {
  if (tasks.length === 0) return 'No tasks. Give one with `autocode task add "…"`.';
  return table(tasks, [
    { title: 'TASK', value: (task) => String(task.id), align: 'right' },
    { title: 'STATE', value: taskState, style: (task) => styleOf(task.state) },
    { title: 'PROJECT', value: (task) => task.project },
    { title: 'TITLE', value: (task) => task.title },
    { title: 'RUNS', value: (task) => String(task.attempt), align: 'right' },
    { title: 'CHANGE', value: (task) => task.changes.join(', ') || '-', align: 'right' },
    { title: 'AGE', value: (task) => relativeTime(task.createdAt) },
  ]);
}
