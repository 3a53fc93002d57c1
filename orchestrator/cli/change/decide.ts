// `autocode change merge`, `change resolve` and `change close`.
import { Change } from '../../../protocol/change.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { print, printJson } from '../output.ts';

/** Merges a change into its base branch. */
export async function mergeChange(args: GlobalArgs & { change: number }): Promise<void> {
  const change = await connect(args).send('POST', `/changes/${args.change}/merge`, Change);
  if (args.json) return printJson(change);
  print(`Change ${change.id} is merged into ${change.baseBranch}.`);
}

/** Closes a change without merging. */
export async function closeChange(
  args: GlobalArgs & { change: number; comment: string | undefined },
): Promise<void> {
  const input = { comment: args.comment };
  const change = await connect(args).send('POST', `/changes/${args.change}/close`, Change, input);
  if (args.json) return printJson(change);
  print(`Change ${change.id} is closed; its branch ${change.branch} stays.`);
}

/** Opens the task of a change that conflicts again, for its agent to resolve that. */
export async function resolveChange(
  args: GlobalArgs & { change: number; message: string | undefined },
): Promise<void> {
  const input = { message: args.message };
  const change = await connect(args).send('POST', `/changes/${args.change}/resolve`, Change, input);
  if (args.json) return printJson(change);
  print(
    `Task ${change.task} is opened again for its agent to resolve the conflict: autocode task watch ${change.task}`,
  );
}
