// A change that conflicts with its base is given back to its agent. Used by the API.
import type { Change } from '../../protocol/change.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { transaction } from '../db/connect.ts';
import { lockTask } from '../tasks/queue.ts';
import { sendOrReopen } from '../tasks/reopen.ts';
import { ENDED_TASK_STATES } from '../tasks/task-state.ts';
import { getChange } from './changes.ts';
import { refreshChange, type MergeDeps } from './merge.ts';

const REASON_MAX = 1_500;

/**
 * Opens the task of a change again, with a message to its agent: the next run begins with the change brought upon its base as that is
 * now. ERR_STATE where there is no conflict, or nobody can work on it again.
 */
export async function resolveConflict(
  deps: MergeDeps,
  id: number,
  { author, words }: { author: string; words: string | undefined },
  signal?: AbortSignal,
): Promise<Change> {
  await refreshChange(deps, id, signal);
  const change = await getChange(deps.db, id);
  if (change.state !== 'open') refuse(`The change ${id} is ${change.state} already.`);
  const below = change.onto === null ? null : await getChange(deps.db, change.onto);
  const upon = below?.state === 'open' ? below : null;
  if (upon !== null && upon.stuck !== null)
    refuse(
      `Change ${id} stays upon change ${upon.id}, which could not follow: ${upon.stuck}`,
      `Have that resolved first: \`autocode change resolve ${upon.id}\`.`,
    );
  if (change.mergeable !== 'conflicts')
    refuse(
      `Change ${id} does not conflict with ${change.baseBranch}, as far as is known.`,
      'Try to merge it.',
    );
  await transaction(deps.db, async (tx) => {
    const { state } = await lockTask(tx, change.task);
    if (!ENDED_TASK_STATES.includes(state))
      refuse(`Task ${change.task}, which change ${id} is of, is ${state}.`, 'Wait until it has ended.');
    await tx.query('update change set resolving = true, updated_at = now() where id = $1', [id]);
    await sendOrReopen(tx, change.task, { author, text: messageOf(change, upon, words) });
  });
  return await getChange(deps.db, id);
}

function messageOf(
  { baseBranch, mergeReason }: Change,
  upon: Change | null,
  words: string | undefined,
): string {
  const base = upon === null ? baseBranch : `change ${upon.id}, which it is built upon,`;
  const where = mergeReason === null ? '' : ` in ${mergeReason.slice(0, REASON_MAX)}`;
  const text = [
    `Your change conflicts with ${base}${where}. The files here are your result brought upon that as it is now: where both`,
    'changed the same lines, a file has conflict markers (<<<<<<<, =======, >>>>>>>). Resolve them so that what both wanted holds, leave no',
    'marker, and see that the checks pass.',
  ].join(' ');
  return words === undefined ? text : `${text}\n\n${words}`;
}

function refuse(message: string, remedy?: string): never {
  throw new AutocodeError('ERR_STATE', message, remedy === undefined ? {} : { remedy });
}
