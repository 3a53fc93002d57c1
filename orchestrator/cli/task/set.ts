// `autocode task set`.
import { AutocodeError } from '../../../protocol/errors.ts';
import { Task } from '../../../protocol/task.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { limitsOf, type LimitArgs } from '../limits.ts';
import { print, printJson } from '../output.ts';
import { readText } from './add.ts';

interface Args extends GlobalArgs, LimitArgs {
  task: number;
  title: string | undefined;
  body: string | undefined;
  bodyFile: string | undefined;
  accept: string[] | undefined;
  file: string[] | undefined;
  priority: number | undefined;
}

/** Changes what is named, and nothing else. */
export async function setTask(args: Args): Promise<void> {
  const limits = limitsOf(args);
  const patch = {
    title: args.title,
    body: args.bodyFile === undefined ? args.body : readText(args.bodyFile),
    acceptance: args.accept,
    targetFiles: args.file,
    priority: args.priority,
    limits: Object.values(limits).some((limit) => limit !== undefined) ? limits : undefined,
  };
  if (Object.values(patch).every((value) => value === undefined)) {
    throw new AutocodeError('ERR_INVALID_INPUT', 'It is not said what is to be changed.', {
      remedy: 'Name it, as `--priority 5`.',
    });
  }
  const task = await connect(args).send('PATCH', `/tasks/${args.task}`, Task, patch);
  if (args.json) return printJson(task);
  print(`Task ${task.id} is changed. Its place: \`autocode schedule explain ${task.id}\`.`);
}
