// Rule `size`: more than anybody will read. Deleted files count as one file each.
import { present, shownBytes } from './rule.ts';
import type { Rule } from './rule.ts';

export const LARGEST = { files: 2_000, lines: 100_000, bytes: 50 << 20 };

export const size: Rule = {
  name: 'size',
  find(diff) {
    const lines = diff.files.reduce((sum, file) => sum + file.lines, 0);
    const bytes = present(diff).reduce((sum, file) => sum + file.bytes, 0);
    const remedy =
      'leave out what does not belong to the task, as generated files and dependencies (name them in .gitignore)';
    const over: [boolean, string][] = [
      [
        diff.files.length > LARGEST.files,
        `it touches ${diff.files.length} files, more than ${LARGEST.files}`,
      ],
      [lines > LARGEST.lines, `it adds and removes ${lines} lines, more than ${LARGEST.lines}`],
      [
        bytes > LARGEST.bytes,
        `the files it touches hold ${shownBytes(bytes)}, more than ${shownBytes(LARGEST.bytes)}`,
      ],
    ];
    return over.filter(([is]) => is).map(([, reason]) => ({ path: null, reason, remedy }));
  },
};
