// What the schema found wrong, said so that it can be corrected. Used by load.ts.
import { configKeys } from './keys.ts';

export interface Mistake {
  where: string; // file:line:column, variable or flag
  path: string;
  message: string; // follows the path in a sentence
}

interface Issue {
  code: string;
  path: readonly PropertyKey[];
  message?: string;
  keys?: readonly string[];
  errors?: readonly (readonly Issue[])[];
}

/** One mistake an issue, an unknown key each; `whereIs` tells the place of a path. */
export function describeIssues(issues: readonly Issue[], whereIs: (path: string) => string): Mistake[] {
  return issues.flatMap((issue): Mistake[] => {
    const path = issue.path.join('.');
    if (issue.code !== 'unrecognized_keys')
      return [
        {
          where: whereIs(path),
          path: path || 'the configuration',
          message: sentence(issue.message ?? 'is wrong'),
        },
      ];
    return (issue.keys ?? []).map((key) => {
      const unknown = path === '' ? key : `${path}.${key}`;
      return { where: whereIs(unknown), path: unknown, message: `is not a key${suggestion(unknown)}` };
    });
  });
}

function sentence(message: string): string {
  if (message.endsWith('received undefined')) return 'is missing';
  const text = message.replace(/^Invalid input: /, '');
  return text === message && /^[A-Z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function suggestion(unknown: string): string {
  const keys = configKeys();
  const within = keys.find((key) => key.path.startsWith(`${unknown}.`));
  if (within !== undefined) return ` but a part with keys of its own, as ${within.path}`;
  const known = new Set(keys.flatMap((key) => prefixes(key.path)));
  const nearest = [...known]
    .map((path) => ({ path, distance: distanceBetween(unknown.toLowerCase(), path.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (nearest !== undefined && nearest.distance <= Math.max(2, unknown.length / 4))
    return `; did you mean ${nearest.path}?`;
  const sameName = [...known].find((path) => path.split('.').at(-1) === unknown.split('.').at(-1));
  return sameName === undefined
    ? '; `autocode config reference` lists all keys'
    : `; did you mean ${sameName}?`;
}

function prefixes(path: string): string[] {
  const parts = path.split('.');
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'));
}

// Levenshtein's distance.
function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
