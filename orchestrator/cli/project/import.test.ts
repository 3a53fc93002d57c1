import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeApi, runCli } from '../testing/run-cli.ts';
import { freeName } from './import.ts';

test('a project is named by the last part of its path, then by more of it, then by a number', () => {
  const names = (path: string, ...taken: string[]) => freeName(path, new Set(taken));
  assert.equal(names('acme/shop'), 'shop');
  assert.equal(names('acme/shop', 'shop'), 'acme-shop');
  assert.equal(names('group/sub/Shop.Web', 'shop.web'), 'sub-shop.web');
  assert.equal(names('acme/shop', 'shop', 'acme-shop'), 'acme-shop-2');
  assert.equal(names('acme/shop', 'shop', 'acme-shop', 'acme-shop-2'), 'acme-shop-3');
});

test('what is there already and what is archived is left alone; one that fails does not stop the others', async () => {
  const repository = (path: string, more = {}) => ({
    path,
    cloneUrl: `https://git.example.com/${path}.git`,
    defaultBranch: 'main',
    archived: false,
    private: true,
    project: null,
    ...more,
  });
  await using api = await fakeApi({
    'GET /forges': { body: [{ name: 'hub', kind: 'gitea', url: 'https://git.example.com' }] },
    'GET /forges/hub/repositories': {
      body: [
        repository('acme/empty'),
        repository('acme/old', { archived: true }),
        repository('acme/shop', { project: 'shop' }),
        repository('other/x'),
      ],
    },
    'GET /projects': { body: [] },
    'POST /projects': {
      status: 422,
      body: { error: { code: 'ERR_REPOSITORY_EMPTY', message: 'It has no commits yet.', remedy: 'Commit.' } },
    },
  });
  const run = async (...words: string[]) =>
    await runCli(['project', 'import', 'hub', '--match', 'acme/*', '--url', api.url, ...words]);
  const asked = await run();
  assert.deepEqual([asked.code, /--dry-run, then give --yes/.test(asked.stderr)], [2, true]);
  const dry = await run('--dry-run');
  assert.equal(dry.code, 0);
  assert.match(dry.stdout, /acme\/empty +empty +would be registered/);
  assert.doesNotMatch(dry.stdout, /other/);
  assert.equal(
    api.requests.some(({ line }) => line.startsWith('POST')),
    false,
  );
  const { code, stdout } = await run('--yes', '--json');
  assert.equal(code, 1);
  assert.deepEqual(
    JSON.parse(stdout).repositories.map(({ path, outcome }: Record<string, string>) => [path, outcome]),
    [
      ['acme/empty', 'failed'],
      ['acme/old', 'archived'],
      ['acme/shop', 'there already'],
    ],
  );
  const unknown = await runCli(['project', 'import', 'nope', '--url', api.url]);
  assert.deepEqual([unknown.code, /Known are hub/.test(unknown.stderr)], [3, true]);
});
