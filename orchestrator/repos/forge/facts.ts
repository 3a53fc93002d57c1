// What happened at a forge, in one shape for all of them, whether a delivery told it or it was asked for. All text is other
// people's. Made by <kind>-facts.ts and <kind>-activity.ts, used by intake.
import { z } from 'zod';

const Common = {
  /** Of the repository, as `owner/name`. */
  path: z.string(),
  /** Who did it. */
  by: z.string(),
  /** Null where the forge does not tell. */
  at: z.string().nullable(),
  url: z.string(),
};
const OfRequest = { ...Common, number: z.int(), id: z.string(), text: z.string() };

export const ForgeFact = z.discriminatedUnion('what', [
  /** An issue is open and has these labels and assignees. `byRight`: whoever set them needed a right for it. */
  z.object({
    what: z.literal('issue'),
    ...Common,
    number: z.int(),
    title: z.string(),
    text: z.string(),
    labels: z.array(z.string()),
    assignees: z.array(z.string()),
    byRight: z.boolean(),
  }),
  /** Somebody wrote below an issue or a pull request. */
  z.object({ what: z.literal('comment'), ...OfRequest, onChange: z.boolean() }),
  /** A review was given, or one comment of it. */
  z.object({
    what: z.literal('review'),
    ...OfRequest,
    says: z.enum(['changes-requested', 'commented', 'line']),
    place: z.string().nullable(),
  }),
  /** A check of a commit failed. */
  z.object({
    what: z.literal('check'),
    ...Common,
    commit: z.string(),
    branch: z.string().nullable(),
    name: z.string(),
    text: z.string(),
  }),
]);
export type ForgeFact = z.infer<typeof ForgeFact>;

/** What to look for when a forge is asked. */
export interface ActivityQuery {
  since: Date;
  labels: string[];
  assignee: string | null;
  /** Our open pull requests there. */
  changes: { number: number; commit: string; branch: string }[];
}

/** Statuses and checks that are our own. */
export const OWN_CHECKS = 'autocode/';

/** A fact of an issue proves a right where somebody else than its author has set it: forms for new issues set labels for anybody. */
export function provesRight(by: string, author: string): boolean {
  return by.toLowerCase() !== author.toLowerCase();
}

/** A label or an assignee that somebody gave to an issue. */
export interface Mark {
  by: string | undefined;
  label?: string | undefined;
  assignee?: string | undefined;
}

/** Who was the last to set what is asked for, of marks in their order. */
export function whoMarked(
  marks: readonly Mark[],
  { labels, assignee: wanted }: Pick<ActivityQuery, 'labels' | 'assignee'>,
): string | undefined {
  const isOneOf = (name: string | undefined, names: string[]) =>
    name !== undefined && names.some((each) => each.toLowerCase() === name.toLowerCase());
  const assignees = wanted === null ? [] : [wanted];
  return marks.findLast(({ label, assignee }) => isOneOf(label, labels) || isOneOf(assignee, assignees))?.by;
}
