// Reviewers by a CODEOWNERS file: patterns as in .gitignore, the last that matches a path wins. Gitea asks those of
// its own kind (.gitea/CODEOWNERS, with regular expressions) by itself. Used by proposal.ts.

/** Where the file may be, the first that is there counts. */
export const CODE_OWNERS_PATHS = [
  '.github/CODEOWNERS',
  '.gitlab/CODEOWNERS',
  'CODEOWNERS',
  'docs/CODEOWNERS',
];

/** The owners of these paths: login names, and teams as `organisation/team`. */
export function ownersOf(codeOwners: string, paths: string[]): string[] {
  const rules = codeOwners.split('\n').flatMap(ruleOf);
  const owners = paths.flatMap((path) => rules.findLast(({ pattern }) => pattern.test(path))?.owners ?? []);
  return [...new Set(owners)];
}

// An address stands for a person whose name on the forge is not known here: it is passed over.
function ruleOf(line: string): { pattern: RegExp; owners: string[] }[] {
  const [glob = '', ...owners] = line
    .replace(/(^|\s)#.*$/, '')
    .trim()
    .split(/\s+/);
  if (glob === '' || glob.startsWith('[') || glob.startsWith('^[') || glob.startsWith('!')) return [];
  return [
    {
      pattern: globPattern(glob),
      owners: owners.filter((one) => one.startsWith('@')).map((one) => one.slice(1)),
    },
  ];
}

// Without a slash but at its end, a pattern matches at any depth; what it matches stands for all below it.
function globPattern(glob: string): RegExp {
  const anchored = /\/./.test(glob);
  const body = glob
    .replace(/^\//, '')
    .replace(/\/$/, '')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\/\*\*|\*\*|\*|\?/g, (mark) => WILDCARDS[mark] ?? mark);
  const below = glob.endsWith('/') ? '/.+' : /(^|\/)\*$/.test(glob) && anchored ? '' : '(/.*)?';
  return new RegExp(`^${anchored ? '' : '(.*/)?'}${body}${below}$`);
}

const WILDCARDS: Record<string, string> = {
  '**/': '(.*/)?',
  '/**': '/.*',
  '**': '.*',
  '*': '[^/]*',
  '?': '[^/]',
};
