// `autocode task dead-letters`.
import { z } from 'zod';
import { DeadLetter } from '../../../protocol/scheduling.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { oneLine, relativeTime } from '../format.ts';
import { table } from '../output.ts';
import { show } from '../redraw.ts';

interface Args extends GlobalArgs {
  project: string | undefined;
  limit: number;
  before: number | undefined;
}

/** Lists the tasks that failed and are not tried again by themselves. */
export async function deadLetters(args: Args): Promise<void> {
  const client = connect(args);
  const { project, limit, before } = args;
  await show(args, () => client.get('/dead-letters', z.array(DeadLetter), { project, limit, before }), draw);
}

const WHY: Record<DeadLetter['why'], string> = {
  'retries-used-up': 'retries used up',
  refused: 'cannot be done as it is',
  'out-of-budget': 'out of budget',
};

function draw(letters: DeadLetter[]): string {
  if (letters.length === 0) return 'No task was given up.';
  const list = table(letters, [
    { title: 'TASK', value: ({ task }) => String(task), align: 'right' },
    { title: 'PROJECT', value: ({ project }) => project },
    { title: 'TITLE', value: ({ title }) => title },
    { title: 'WHY', value: whyOf },
    { title: 'ENDED', value: ({ finishedAt }) => relativeTime(finishedAt) },
    { title: 'REASON', value: ({ reason }) => oneLine(reason ?? '') },
  ]);
  return `${list}\n\nGive one another run with \`autocode task retry ${letters[0]!.task}\`.`;
}

function whyOf({ why, cause, retries }: DeadLetter): string {
  if (cause === null || why !== 'retries-used-up') return WHY[why];
  return `${WHY[why]} (${cause}: ${retries[cause] ?? 0})`;
}
