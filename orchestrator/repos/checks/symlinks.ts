// Rule `symlinks`: links that are absolute or lead out of the tree, by themselves or over another link that was changed;
// and links into .git. Whoever checks the result out would read or write there.
import { posix } from 'node:path';
import { present } from './rule.ts';
import type { ChangedFile, Rule } from './rule.ts';

export const symlinks: Rule = {
  name: 'symlinks',
  find(diff) {
    const links = new Map(
      present(diff).flatMap((file) => (file.link === null ? [] : [[file.path, file.link]])),
    );
    return present(diff).flatMap((file) => {
      const reason = file.link === null ? undefined : wrongWith(file, file.link, links);
      return reason === undefined
        ? []
        : [
            {
              path: file.path,
              reason,
              remedy: 'remove the link, or let it point to a file of the repository',
            },
          ];
    });
  },
};

// More links than any system follows: such a path leads nowhere.
const MOST_HOPS = 64;

function wrongWith(
  { path }: ChangedFile,
  target: string,
  links: ReadonlyMap<string, string>,
): string | undefined {
  if (isAbsolute(target)) return `it is a link to the absolute path ${target}`;
  const folder = posix.dirname(path);
  const reached = follow(folder === '.' ? [] : folder.split('/'), target, links);
  if (reached === 'outside') return `it is a link out of the repository, to ${target}`;
  return reached.some((part) => part.toLowerCase() === '.git')
    ? `it is a link into .git, to ${target}`
    : undefined;
}

// Part by part, as the kernel walks: behind a link in between, `..` is the parent of what that link points to.
function follow(from: string[], target: string, links: ReadonlyMap<string, string>): string[] | 'outside' {
  const at = [...from];
  const parts = target.split('/').toReversed();
  let hops = 0;
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at.pop() === undefined) return 'outside';
      continue;
    }
    const next = links.get([...at, part].join('/'));
    if (next === undefined) at.push(part);
    else if (isAbsolute(next)) return 'outside';
    else if (++hops > MOST_HOPS) return at;
    else parts.push(...next.split('/').toReversed());
  }
  return at;
}

function isAbsolute(target: string): boolean {
  return target.startsWith('/') || /^([A-Za-z]:|\\)/.test(target);
}
