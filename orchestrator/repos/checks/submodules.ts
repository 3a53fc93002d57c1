// Rule `submodules`: a submodule is code from somewhere else, fetched by whoever clones the result.
import type { Rule } from './rule.ts';

const SUBMODULE = '160000';

export const submodules: Rule = {
  name: 'submodules',
  find: ({ files }) =>
    files
      .filter(
        ({ path, mode }) => mode.before === SUBMODULE || mode.after === SUBMODULE || path === '.gitmodules',
      )
      .map(({ path, status }) => ({
        path,
        reason:
          path === '.gitmodules'
            ? `it was ${status}: it says where submodules come from`
            : `a submodule was ${status}`,
        remedy: 'leave submodules as they were',
      })),
};
