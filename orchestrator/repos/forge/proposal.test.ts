import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workshop } from '../testing/workshop.ts';
import { withTemplate } from './proposal.ts';

test('our text goes into the template of the repository, wherever forges look for one', async () => {
  using shop = workshop();
  const table: [string, string, string][] = [
    ['.gitea/PULL_REQUEST_TEMPLATE.md', 'T\n', 'T\n\nours\n'],
    ['.github/pull_request_template.md', 'T\n\n<!-- autocode -->\n\nend\n', 'T\n\nours\n\nend\n'],
    ['.gitlab/merge_request_templates/Default.md', 'T\n', 'T\n\nours\n'],
    ['docs/pull_request_template.md', 'T\n', 'T\n\nours\n'],
    ['pull_request_template.md', '\n', 'ours\n'],
    ['.gitlab/merge_request_templates/Hotfix.md', 'T\n', 'ours\n'],
  ];
  for (const [index, [path, template, body]] of table.entries()) {
    const mirror = shop.bare(`${index}.git`, { [path]: template });
    const commit = shop.git(`${index}.git`, 'rev-parse', 'main');
    assert.equal(await withTemplate({ git: shop.store.git, mirror, commit }, 'ours\n'), body, path);
  }
});
