// `autocode change list`.
import { z } from 'zod';
import { Change } from '../../../protocol/change.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { relativeTime } from '../format.ts';
import { table } from '../output.ts';
import { show } from '../redraw.ts';
import { styleOf } from '../states.ts';

interface Args extends GlobalArgs {
  project: string | undefined;
  state: string | undefined;
  review: string | undefined;
  mergeable: string | undefined;
  watch: boolean;
}

/** Lists changes, newest first. */
export async function listChanges(args: Args): Promise<void> {
  const client = connect(args);
  const { project, state, review, mergeable } = args;
  await show(
    args,
    () => client.get('/changes', z.array(Change), { project, state, review, mergeable }),
    drawChanges,
  );
}

function drawChanges(changes: Change[]): string {
  if (changes.length === 0) return 'No changes.';
  return table(changes, [
    { title: 'CHANGE', value: (change) => String(change.id), align: 'right' },
    { title: 'STATE', value: (change) => change.state, style: (change) => styleOf(change.state) },
    { title: 'REVIEW', value: reviewOf },
    { title: 'PROJECT', value: (change) => change.project },
    { title: 'REPOSITORY', value: (change) => change.repository },
    { title: 'TASK', value: (change) => String(change.task), align: 'right' },
    { title: 'BRANCH', value: (change) => change.branch },
    { title: 'TITLE', value: (change) => change.title },
    { title: 'AGE', value: (change) => relativeTime(change.createdAt) },
  ]);
}

// What stands in the way comes before what people say.
function reviewOf({ state, review, mergeable, draft }: Change): string {
  if (state !== 'open') return '';
  if (mergeable === 'conflicts') return 'conflicts';
  if (draft) return 'draft';
  return review === 'none' ? '' : review.replace('-', ' ');
}
