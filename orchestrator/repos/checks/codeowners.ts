// Rule `codeowners`: who has to agree to a change is not for the change to say.
import type { Rule } from './rule.ts';

const NAME = /(^|\/)(codeowners|owners|owners_aliases)$/i;

export const codeowners: Rule = {
  name: 'codeowners',
  find: ({ files }) =>
    files
      .filter(({ path }) => NAME.test(path))
      .map(({ path, status }) => ({
        path,
        reason: `it was ${status}: it says who must agree to changes`,
        remedy: 'leave it as it was',
      })),
};
