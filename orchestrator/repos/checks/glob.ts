// Patterns of paths in the lists of a project: `*` and `?` stay within a folder, `**` does not, a trailing `/` is all below.
// Names that begin with a dot are names like any other, unlike in path.matchesGlob.

/** Whether one of the patterns matches the whole path. */
export function matchesAny(path: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => expressionOf(pattern).test(path));
}

function expressionOf(pattern: string): RegExp {
  const whole = pattern.endsWith('/') ? `${pattern}**` : pattern;
  const source = whole.replaceAll(/\*\*\/|\*\*|[*?]|[^*?]+/g, (part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : RegExp.escape(part);
  });
  return new RegExp(`^${source}$`, 'su');
}
