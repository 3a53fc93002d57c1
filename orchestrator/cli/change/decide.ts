// `autocode change merge` and `change close`.
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
