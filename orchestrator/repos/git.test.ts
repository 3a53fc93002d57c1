import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastWords, maskCredentials } from './git.ts';
import { workshop } from './testing/workshop.ts';

test("a failure is told in git's own words", () => {
  const cases: [string, string][] = [
    ['fatal: repository not found\n', 'repository not found'],
    [
      'ssh: connect to host x port 22: Connection refused\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n',
      'ssh: connect to host x port 22: Connection refused',
    ],
    ["hint: try\nerror: failed to push some refs to 'x'\nremote: no\n", 'no'],
    ['', ''],
    ["fatal: unable to access 'https://ann:pw@x/y': 403\n", "unable to access 'https://***@x/y': 403"],
  ];
  for (const [stderr, words] of cases) assert.equal(lastWords(stderr), words);
  assert.equal(maskCredentials('git@host:x https://host/y'), 'git@host:x https://host/y');
});

test('no setting of the user or of the machine reaches a local command', async () => {
  using shop = workshop();
  const path = shop.workingCopy('w');
  shop.write('daemon-home', { '.gitconfig': '[user]\n\tname = Eve\n' });
  const { git } = shop.store;
  assert.equal((await git.run(['config', 'user.name'], { cwd: path, accept: [1] })).exitCode, 1);
  assert.equal(await git.text(['config', 'user.name'], { cwd: path, remote: { trusted: [] } }), 'Eve');
  assert.equal(
    await git.text(['config', 'core.hooksPath'], { cwd: path, remote: { trusted: [] } }),
    '/dev/null',
  );
});

test('output over the limit is cut, a slow command is stopped', async () => {
  using shop = workshop();
  const path = shop.workingCopy('w', { 'a.txt': 'x'.repeat(100_000) });
  const { git } = shop.store;
  const cut = await git.run(['cat-file', 'blob', 'HEAD:a.txt'], { cwd: path, maxBytes: 1000 });
  assert.deepEqual([cut.truncated, cut.stdout.length], [true, 1000]);
  await assert.rejects(git.run(['-c', 'alias.wait=!sleep 60', 'wait'], { cwd: path, timeoutMs: 100 }), {
    code: 'ERR_INTERNAL',
    message: /took too long/,
  });
});
