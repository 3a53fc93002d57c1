// Comments on lines of a difference, until they are sent to the agent as one message. Kept by the tab, so that a reload loses none.

export interface LineComment {
  path: string;
  side: 'old' | 'new';
  line: number;
  /** The line as it stands there. */
  quote: string;
  text: string;
}

/** What the API takes. */
export const MOST_TEXT = 20_000;

/** One message of all comments, file by file and line by line. */
export function messageOf(
  change: { id: number; branch: string; repository: string },
  comments: readonly LineComment[],
  general: string,
): string {
  const sorted = comments.toSorted(
    (one, other) => one.path.localeCompare(other.path) || one.line - other.line,
  );
  const parts = sorted.map(({ path, side, line, quote, text }) => {
    const where = `${path}, line ${line}${side === 'old' ? ' before the change' : ''}:`;
    return `${where}\n> ${quote.slice(0, 500)}\n${text.trim()}`;
  });
  const head = `Review of change ${change.id} (${change.branch} in ${change.repository}).`;
  return [head, general.trim(), ...parts].filter((part) => part !== '').join('\n\n');
}

/** The comments that this tab keeps for a change. */
export function keptComments(change: number): LineComment[] {
  try {
    return JSON.parse(sessionStorage.getItem(`review-${change}`) ?? '[]') as LineComment[];
  } catch {
    return [];
  }
}

/** Keeps them. */
export function keepComments(change: number, comments: readonly LineComment[]): void {
  sessionStorage.setItem(`review-${change}`, JSON.stringify(comments));
}
