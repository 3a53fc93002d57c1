// `autocode task watch`, and the same behind --watch and in the demo.
import { Task } from '../../../protocol/task.ts';
import { connect, type Client } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { printJsonLine } from '../output.ts';
import { followTask, type TaskNews } from '../watch/task-stream.ts';
import { viewTask } from '../watch/task-view.ts';

/** Follows a task until it ends; exit code 0 if it was completed, 1 if not. */
export async function watchTask(args: GlobalArgs & { task: number }): Promise<void> {
  const client = connect(args);
  await watchUntilEnd(client, await client.get(`/tasks/${args.task}`, Task), args);
}

/** Shows what happens with the task and ends the CLI by its outcome. */
export async function watchUntilEnd(client: Client, task: Task, args: GlobalArgs): Promise<void> {
  const ended = await watch(client, task, args.json ? { show: printJsonLine } : viewTask(task, args));
  if (ended.state !== 'completed') throw new Exit(1);
}

export interface Viewer {
  show(news: TaskNews): void;
  close?(): void;
}

/** Gives the viewer what happens until the task has ended, and answers with the task as it ended. Ctrl-C ends the watching only. */
export async function watch(client: Client, task: Task, viewer: Viewer): Promise<Task> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  try {
    for await (const news of followTask(client, task, interrupted.signal)) {
      viewer.show(news);
      if (news.type === 'ended') return news.task;
    }
  } finally {
    process.removeListener('SIGINT', interrupt);
    viewer.close?.();
  }
  process.stderr.write(
    `\nTask ${task.id} goes on.\n  watch it:  autocode task watch ${task.id}\n  end it:    autocode task cancel ${task.id}\n`,
  );
  throw new Exit(130);
}
