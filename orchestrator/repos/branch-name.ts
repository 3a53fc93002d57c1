// The name of the branch that a task's result goes to. Used by submission.

const SLUG_LENGTH = 40;

/** `autocode/<task>-<slug>`; the second and later names are for when the first is somebody else's. */
export function branchName(task: number, title: string, attempt = 1): string {
  return `autocode/${task}-${slug(title)}${attempt === 1 ? '' : `-${attempt}`}`;
}

/** A title as lower-case ASCII words with dashes, at most 40 characters, never empty. */
export function slug(title: string): string {
  const words = title
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
  let text = '';
  for (const word of words) {
    const longer = text === '' ? word.slice(0, SLUG_LENGTH) : `${text}-${word}`;
    if (longer.length > SLUG_LENGTH) break;
    text = longer;
  }
  return text || 'change';
}
