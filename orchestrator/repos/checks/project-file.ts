// Rule `project-file`: the repository's own settings, which decide what verifies the next run.
import { PROJECT_FILE } from '../../../protocol/project-file.ts';
import type { Rule } from './rule.ts';

export const projectFile: Rule = {
  name: 'project-file',
  find: ({ files }) =>
    files
      .filter(({ path }) => path.toLowerCase() === PROJECT_FILE)
      .map(({ path, status }) => ({
        path,
        reason: `it was ${status}: it decides how later runs are verified`,
        remedy: 'leave the settings of the repository as they were',
      })),
};
