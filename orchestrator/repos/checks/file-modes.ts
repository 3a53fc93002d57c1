// Rule `file-modes`: a file that becomes executable without being a program. (git keeps no other rights: no setuid.)
import type { Rule } from './rule.ts';

const DATA =
  /\.(md|rst|txt|json|ya?ml|toml|ini|cfg|conf|lock|csv|tsv|xml|html?|css|scss|svg|png|jpe?g|gif|webp|ico|pdf|woff2?|ttf|env|pem|crt|key)$/i;

export const fileModes: Rule = {
  name: 'file-modes',
  find: ({ files }) =>
    files
      .filter(({ path, mode }) => mode.after === '100755' && mode.before !== '100755' && DATA.test(path))
      .map(({ path }) => ({
        path,
        reason: 'it was made executable, but holds data',
        remedy: 'take the execute bit away (`chmod -x`)',
      })),
};
