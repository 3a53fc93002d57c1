// What a look at the forge says of an open change: kept, and told where it is new. Used by merge.ts.
import type { Change, Review } from '../../protocol/change.ts';
import { transaction, type Database, type Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import type { ReviewedChange } from './forge/forge.ts';

/** What was seen of an open change. */
export interface Look extends Pick<ReviewedChange, 'head' | 'reviews' | 'mergeReason' | 'draft'> {
  /** Its number, from before the forge was asked. */
  look: string;
  mergeable: Change['mergeable'];
}

interface Row extends Pick<Change, 'forgeHead' | 'reviews' | 'mergeable' | 'draft'> {
  task: number;
  run: string;
  project: number;
  following: string | null;
  /** It conflicts with what it is to follow, which the forge cannot know. */
  stuck: boolean;
}

/** The number of a look that begins: one that is overtaken by a later one changes nothing. */
export async function startLook(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ look: string }>(`select nextval('change_look')::text as look`);
  return rows[0]!.look;
}

/** By the reviews of the present version; one that asks for changes outweighs approvals. */
export function reviewState(reviews: readonly Review[]): Change['review'] {
  const counting = reviews.filter(({ stale }) => !stale).map(({ says }) => says);
  const states = ['changes-requested', 'approved', 'commented'] as const;
  return states.find((state) => counting.includes(state)) ?? 'none';
}

/** Keeps what was seen, and tells it: moved by somebody, reviewed, in conflict or not any more. */
export async function noteLook(
  db: Database,
  { id, headCommit }: Pick<Change, 'id' | 'headCommit'>,
  { look, head, reviews, mergeable, mergeReason, draft }: Look,
): Promise<void> {
  await transaction(db, async (tx) => {
    const { rows } = await tx.query<Row>(
      `select change.task, change.run, task.project, change.forge_head as "forgeHead", change.reviews, change.mergeable, change.draft,
          change.follow ->> 'head' as following, coalesce((change.follow -> 'conflicts')::boolean, false) as stuck
        from change join task on task.id = change.task
        where change.id = $1 and change.state = 'open' and change.head_commit = $2
          and change.look <= $3 for update of change`,
      [id, headCommit, look],
    );
    if (rows[0] === undefined) return;
    const { task, run, project, following, stuck, ...before } = rows[0];
    const ours = head === undefined || head === headCommit || head === following;
    const forgeHead = head === undefined ? before.forgeHead : ours ? null : head;
    const hasMoved = forgeHead !== before.forgeHead;
    // What the forge is still finding out does not undo what was known of the same commits.
    const keeps = (mergeable === 'unknown' || stuck) && !hasMoved;
    await tx.query(
      `update change set look = $2, forge_head = $3, review = $4, reviews = $5, draft = $6,
          mergeable = case when $9 then mergeable else $7 end, merge_reason = case when $9 then merge_reason else $8 end
        where id = $1`,
      [
        id,
        look,
        forgeHead,
        reviewState(reviews),
        JSON.stringify(reviews),
        draft,
        mergeable,
        mergeReason,
        keeps,
      ],
    );
    const of = { task, run, project };
    if (hasMoved && forgeHead !== null)
      await emit(tx, { kind: 'change.moved', ...of, data: { change: id, head: forgeHead } });
    for (const { by, review } of newWords(before.reviews, reviews))
      await emit(tx, { kind: 'change.reviewed', ...of, data: { change: id, by, review } });
    if (draft !== before.draft || (!keeps && mergeable !== before.mergeable)) {
      const data = {
        change: id,
        mergeable: keeps ? before.mergeable : mergeable,
        was: before.mergeable,
        reason: mergeReason,
        draft,
      };
      await emit(tx, { kind: 'change.mergeable', ...of, data });
    }
  });
}

/** What people say now that they did not say before; `none` where it counts no more. */
function newWords(
  before: readonly Review[],
  now: readonly Review[],
): { by: string; review: Change['review'] }[] {
  const said = (reviews: readonly Review[], by: string): Change['review'] => {
    const found = reviews.find((review) => review.by === by);
    return found === undefined || found.stale ? 'none' : found.says;
  };
  const people = new Set([...before, ...now].map(({ by }) => by));
  return [...people]
    .map((by) => ({ by, review: said(now, by) }))
    .filter(({ by, review }) => review !== said(before, by));
}
