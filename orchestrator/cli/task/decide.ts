// `autocode task cancel` and `task retry`.
import { Task } from '../../../protocol/task.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { print, printJson } from '../output.ts';
import { taskState } from '../states.ts';
import { watchUntilEnd } from './watch.ts';

/** Cancels a task; one that runs stops within seconds. */
export async function cancelTask(args: GlobalArgs & { task: number }): Promise<void> {
  const task = await connect(args).send('POST', `/tasks/${args.task}/cancel`, Task);
  if (args.json) return printJson(task);
  print(
    task.state === 'cancelled'
      ? `Task ${task.id} is cancelled.`
      : `Task ${task.id} is being cancelled; its run stops within seconds.`,
  );
}

/** Queues an ended task again. */
export async function retryTask(args: GlobalArgs & { task: number; watch: boolean }): Promise<void> {
  const client = connect(args);
  const task = await client.send('POST', `/tasks/${args.task}/retry`, Task);
  if (args.watch) return await watchUntilEnd(client, task, args);
  if (args.json) return printJson(task);
  print(`Task ${task.id} is ${taskState(task)} again. Watch it with \`autocode task watch ${task.id}\`.`);
}
