// Tools that show what a run did: its diff and its log, of bounded size. Used by serve.ts; the log's resource reads the same way.
import { z } from 'zod';
import { Fence, runId, RunId, TaskId } from '../../../protocol/ids.ts';
import { Run } from '../../../protocol/run.ts';
import { Task } from '../../../protocol/task.ts';
import type { Client } from '../client.ts';
import { diffSource, newestRun } from '../run/diff.ts';
import { readLog } from '../run/logs.ts';
import { eventLines } from '../watch/run-lines.ts';
import { beginning, ending, plain } from './excerpt.ts';
import { tool } from './tool.ts';

/** How much of a log's end is looked into. */
const LOG_BYTES = 1024 * 1024;

const maxCharacters = z
  .int()
  .min(1000)
  .max(400_000)
  .default(40_000)
  .meta({ description: 'How much of it at most.' });
const excerpt = {
  text: z.string(),
  characters: z.int().meta({ description: 'Length of the whole.' }),
  cut: z.boolean().meta({ description: 'Whether `text` is not the whole.' }),
};

export const resultTools = [
  tool({
    name: 'get_diff',
    title: 'Show what a task changed',
    description: 'The diff of a task, to the base of its branch. Ask for `stat` first where it may be large.',
    input: z.strictObject({
      task: TaskId,
      format: z.enum(['patch', 'stat', 'names']).default('patch').meta({
        description: 'The patch, files with counts of lines, or names of files.',
      }),
      maxCharacters,
    }),
    output: z.object({
      of: z.string().meta({ description: 'The change or the run that it is from.' }),
      ...excerpt,
    }),
    effect: 'read',
    text: ({ of, text, characters, cut }) => {
      if (characters === 0) return `(nothing is changed by ${of})`;
      return cut
        ? `${text}\n(cut: the first ${text.length} of ${characters} characters; ask for format "stat", or for more with maxCharacters)`
        : text;
    },
    async call({ task, format, maxCharacters }, { client }) {
      const source = diffSource(await client.get(`/tasks/${task}`, Task));
      const diff = await client.text(`${source}/diff`, { format });
      return { of: source.slice(1).replace('s/', ' '), ...beginning(diff, maxCharacters) };
    },
  }),
  tool({
    name: 'get_log',
    title: "Show the end of a run's log",
    description:
      "The last lines of the log of a task's newest run, or of an earlier one: its steps, what the agent said and did, what the checks printed.",
    input: z.strictObject({
      task: TaskId,
      attempt: Fence.optional().meta({
        description: 'Which of its runs: 1 is the first; the newest when left out.',
      }),
      lines: z.int().min(1).max(5000).default(200),
      maxCharacters,
    }),
    output: z.object({ run: RunId, state: Run.shape.state, ...excerpt }),
    effect: 'read',
    text: ({ run, state, text, cut }) =>
      `${cut ? '(cut: the end of it; ask for more with lines and maxCharacters)\n' : ''}${text}\n(run ${run} is ${state})`,
    async call({ task, attempt, lines, maxCharacters }, { client }) {
      const id =
        attempt === undefined ? newestRun(await client.get(`/tasks/${task}`, Task)) : runId(task, attempt);
      const log = await logLines(client, id);
      const { cut, ...end } = ending(log.lines, lines, maxCharacters);
      return { run: id, state: log.state, ...end, cut: cut || log.cut };
    },
  }),
];

/** The log of a run as lines of text, as far as the last megabyte of it reaches. */
export async function logLines(
  client: Client,
  id: string,
): Promise<{ state: Run['state']; lines: string[]; cut: boolean }> {
  const { state, logs } = await client.get(`/runs/${id}`, Run);
  const from = Math.max(0, (logs.find(({ stream }) => stream === 'events')?.bytes ?? 0) - LOG_BYTES);
  const lines: string[] = [];
  for await (const event of readLog(client, `/runs/${id}/logs/events`, from))
    lines.push(...eventLines(event, { verbose: false }).map(plain));
  return { state, lines, cut: from > 0 };
}
