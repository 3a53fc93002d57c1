// `autocode run diff`, `task diff`, `change diff`. Piped, the text is as it came, so that `git apply` takes it.
import { Task } from '../../../protocol/task.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { connect, type Client } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { printable } from '../format.ts';
import { paint, printJson, type Style } from '../output.ts';

interface Format {
  stat: boolean | undefined;
  names: boolean | undefined;
}

/** Prints what a run changed; with another, what that one's result has that this one's has not. */
export async function runDiff(
  args: GlobalArgs & Format & { run: string; other: string | undefined },
): Promise<void> {
  const client = connect(args);
  const run = await runOf(client, args.run);
  if (args.other === undefined) return await printDiff(client, `/runs/${run}/diff`, args);
  const other = await runOf(client, args.other);
  await printDiff(client, `/runs/${other}/diff`, args, { against: run });
}

// A task stands for its newest run.
async function runOf(client: Client, word: string): Promise<string> {
  if (!/^\d+$/.test(word)) return encodeURIComponent(word);
  return newestRun(await client.get(`/tasks/${word}`, Task));
}

/** Prints what a change would change. */
export async function changeDiff(args: GlobalArgs & Format & { change: number }): Promise<void> {
  await printDiff(connect(args), `/changes/${args.change}/diff`, args);
}

/** Prints the diff of a task's change; of several together, or without one, that of its newest run. */
export async function taskDiff(args: GlobalArgs & Format & { task: number }): Promise<void> {
  const client = connect(args);
  const task = await client.get(`/tasks/${args.task}`, Task);
  await printDiff(client, `${diffSource(task)}/diff`, args);
}

/** Where the diff of a task is: below its change, or below its newest run when it has none or several. */
export function diffSource(task: Task): string {
  const [change, ...others] = task.changes;
  return change !== undefined && others.length === 0 ? `/changes/${change}` : `/runs/${newestRun(task)}`;
}

/** The id of a task's last run; ERR_STATE if it has had none. */
export function newestRun(task: Task): string {
  if (task.attempt > 0) return `${task.id}-${task.attempt}`;
  throw new AutocodeError('ERR_STATE', `Task ${task.id} has had no run yet; it is ${task.state}.`, {
    remedy: `Wait for one with \`autocode task watch ${task.id}\`.`,
  });
}

async function printDiff(
  client: Client,
  path: string,
  args: GlobalArgs & Format,
  query: { against?: string } = {},
): Promise<void> {
  const format = args.stat === true ? 'stat' : args.names === true ? 'names' : 'patch';
  const text = await client.text(path, { format, ...query });
  if (args.json) return printJson({ format, ...query, diff: text });
  process.stdout.write(process.stdout.isTTY ? colourDiff(text) : text);
}

/** A patch in the usual colours. */
export function colourDiff(text: string): string {
  return text
    .split('\n')
    .map((line) => paint(diffStyle(line), printable(line)))
    .join('\n');
}

function diffStyle(line: string): Style | undefined {
  if (/^(diff |index |--- |\+\+\+ |new file|deleted file|similarity|rename )/.test(line)) return 'bold';
  if (line.startsWith('@@')) return 'cyan';
  if (line.startsWith('+')) return 'green';
  return line.startsWith('-') ? 'red' : undefined;
}
