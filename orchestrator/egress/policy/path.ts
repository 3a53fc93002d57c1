// Paths of requests and of rules: one spelling for each segment. The same as proxy-addon/canonical.py.

const LONGEST = 16_384;
const LONGEST_PATTERN = 500;
// Backslashes, broken escapes, encoded control characters, escapes encoded twice, UTF-8 that is longer than it need be.
const ODD = /[\\#]|%(?![0-9a-f]{2})|%(?:[01][0-9a-f]|7f|5c)|%25[0-9a-f]{2}|%c[01]|%e0%[89]|%f0%8/i;
const ESCAPE = /%([0-9a-f]{2})|[*']/gi;
const KEPT = new Set("%?#;*'");

/** The segments of a path with its query; null for one that servers read in different ways. */
export function readPath(target: string): string[] | null {
  if (target.length > LONGEST || !/^\/[\x21-\x7e]*$/.test(target) || target.includes('#')) return null;
  const end = target.indexOf('?');
  const path = end < 0 ? target : target.slice(0, end);
  if (ODD.test(path)) return null;
  const segments = path.replace(ESCAPE, spelled).slice(1).split('/');
  return segments.some((segment) => /^\.\.?(?:;|$)/.test(segment)) ? null : segments;
}

/**
 * Encoded where it must be, and nowhere else; an encoded slash is a slash. It must be what means something to patterns, to servers,
 * or to the shell that a refused path is pasted into.
 */
function spelled(found: string, hex: string | undefined): string {
  if (hex === undefined) return `%${found.charCodeAt(0).toString(16).toUpperCase()}`;
  const character = String.fromCharCode(parseInt(hex, 16));
  const plain = character >= '!' && character <= '~' && !KEPT.has(character);
  return plain ? character : `%${hex.toUpperCase()}`;
}

/** As a server may read it that is generous: for rules that deny. */
export function lenient(path: string[]): string[] {
  return path.map((segment) => segment.split(';', 1)[0]!.toLowerCase()).filter((segment) => segment !== '');
}

/** The pattern for one path; from where a pattern cannot say it, or it gets too long, all that follows. */
export function patternOf(path: string[]): string {
  let pattern = '';
  for (const [index, segment] of path.entries()) {
    const inside = segment === '' && index < path.length - 1;
    if (inside || segment.includes(';') || pattern.length + segment.length > LONGEST_PATTERN)
      return `${pattern}/**`;
    pattern += `/${segment}`;
  }
  return pattern;
}
