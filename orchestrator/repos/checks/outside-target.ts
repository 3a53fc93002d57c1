// Rule `outside-target`: files that the task does not name, when it names any.
import { matchesAny } from './glob.ts';
import type { Rule } from './rule.ts';

export const outsideTarget: Rule = {
  name: 'outside-target',
  find({ files }, { targetFiles }) {
    if (targetFiles.length === 0) return [];
    const targets = targetFiles.map((target) => target.replace(/^(\.?\/)+/, '').replace(/\/+$/, ''));
    const isTarget = (path: string) => targets.some((target) => isWithin(path, target));
    return files
      .filter(({ path }) => !isTarget(path))
      .map(({ path, status }) => ({
        path,
        reason: `it was ${status}, but the task is about ${named(targetFiles)} only`,
        remedy:
          status === 'added' ? 'remove it, or put it where the task allows' : 'restore it as it was before',
      }));
  },
};

// A target is a file, a folder or a pattern; the empty one is the whole tree.
function isWithin(path: string, target: string): boolean {
  return (
    target === '' ||
    target === '.' ||
    path === target ||
    path.startsWith(`${target}/`) ||
    matchesAny(path, [target])
  );
}

function named(targets: string[]): string {
  return targets.slice(0, 5).join(', ') + (targets.length > 5 ? ', …' : '');
}
