// `autocode schedule explain`.
import { Explanation } from '../../../protocol/scheduling.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { block } from '../output.ts';
import { show } from '../redraw.ts';

/** Says why a task waits, and what would change it. */
export async function explainTask(args: GlobalArgs & { task: number; watch: boolean }): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get(`/tasks/${args.task}/explanation`, Explanation), drawExplanation);
}

function drawExplanation({ task, summary, place, waits }: Explanation): string {
  const head = block([
    [`task ${task}`, summary],
    ['place', place === null ? null : `${place} in the queue`],
  ]);
  const parts = waits.map((wait) =>
    block([
      [wait.for, wait.why],
      ['', wait.remedy],
      ['', wait.tasks.length === 0 ? null : `Tasks before it: ${wait.tasks.join(', ')}`],
    ]),
  );
  return [head, ...parts].join('\n\n');
}
