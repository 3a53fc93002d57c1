// `autocode task send`, `task approve` and `task reject`.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { TaskMessage } from '../../../protocol/message.ts';
import { Task, type PlanApproval } from '../../../protocol/task.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { print, printJson } from '../output.ts';
import { taskState } from '../states.ts';
import { readText } from './add.ts';
import { watchUntilEnd } from './watch.ts';

interface Args extends GlobalArgs {
  task: number;
}

/** Sends a message to the agent of a task. */
export async function sendToTask(args: Args & { text: string }): Promise<void> {
  const client = connect(args);
  const message = await client.send('POST', `/tasks/${args.task}/messages`, TaskMessage, {
    text: said(args.text),
  });
  if (args.json) return printJson(message);
  const task = await client.get(`/tasks/${args.task}`, Task);
  const when =
    task.currentRun === null ? 'The agent of its next run gets it' : `Run ${task.currentRun} gets it`;
  print(
    `Message ${message.number} to task ${args.task} is sent. ${when}; see \`autocode task show ${args.task}\`.`,
  );
}

/** Lets the work begin, by the plan as it is or as the file says. */
export async function approveTask(args: Args & { edit: string | undefined; watch: boolean }): Promise<void> {
  const edit = args.edit === undefined ? {} : readPlan(args.edit);
  await decide(args, 'approve', edit, 'Its plan is approved');
}

/** Has another plan made. */
export async function rejectTask(args: Args & { message: string; watch: boolean }): Promise<void> {
  await decide(args, 'reject', { text: said(args.message) }, 'Its plan is rejected, another is made');
}

async function decide(
  args: Args & { watch: boolean },
  decision: 'approve' | 'reject',
  body: object,
  told: string,
): Promise<void> {
  const client = connect(args);
  const task = await client.send('POST', `/tasks/${args.task}/${decision}`, Task, body);
  if (args.watch) return await watchUntilEnd(client, task, args);
  if (args.json) return printJson(task);
  print(`${told}; task ${task.id} is ${taskState(task)}. Watch it with \`autocode task watch ${task.id}\`.`);
}

/** The text, or stdin's for `-`, which as a positional yargs hands over as an empty one. */
function said(text: string): string {
  return text === '-' || (text === '' && process.argv.includes('-')) ? readText('-') : text;
}

const PlanFile = z.object({
  summary: z.string().optional(),
  steps: z
    .array(z.union([z.string(), z.object({ title: z.string() }).transform(({ title }) => title)]))
    .min(1),
});

/** A plan as `task show --json` gives it, or with plain strings as steps. */
function readPlan(path: string): PlanApproval {
  try {
    return PlanFile.parse(JSON.parse(readText(path)));
  } catch (error) {
    if (error instanceof AutocodeError) throw error;
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new AutocodeError('ERR_INVALID_INPUT', `${path} is no plan: ${why}.`, {
      remedy: 'Write it as {"summary": "…", "steps": ["first step", "second step"]}.',
      cause: error,
    });
  }
}
