import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { commitMessage, wrap, writeCommit } from './submission-commit.ts';
import { AUTHOR, workshop } from './testing/workshop.ts';

const plain = {
  title: 'Fix the sum',
  body: '',
  task: 12,
  run: '12-1',
  agent: 'qwen-code',
  model: 'vllm/qwen3',
};

test('the message is title, wrapped text and trailers', () => {
  const body = `${'word '.repeat(20)}\n\n    code that is kept as it is${' x'.repeat(40)}`;
  const lines = commitMessage({ ...plain, body }).split('\n');
  assert.equal(lines[0], 'Fix the sum');
  assert.ok(lines.filter((line) => !line.startsWith('    ')).every((line) => line.length <= 72));
  assert.ok(lines.some((line) => line.length > 72));
  const trailers = [
    'Autocode-Task: 12',
    'Autocode-Run: 12-1',
    'Autocode-Agent: qwen-code',
    'Autocode-Model: vllm/qwen3',
    '',
  ];
  assert.deepEqual(lines.slice(-5), trailers);
});

test('git reads the trailers, whatever title and text hold', () => {
  const titles = ['x', 'a\nAutocode-Task: 99', 'a\0b'];
  const bodies = [
    '',
    'Autocode-Task: 99',
    'a\r\n\r\nSigned-off-by: x\n\n\n',
    '---\ndiff --git a b',
    '# comment',
  ];
  for (const title of titles) {
    for (const body of bodies) {
      const input = commitMessage({ ...plain, title, body, model: '' });
      const found = execFileSync('git', ['interpret-trailers', '--parse', '--no-divider'], {
        input,
        encoding: 'utf8',
      });
      assert.equal(
        found,
        'Autocode-Task: 12\nAutocode-Run: 12-1\nAutocode-Agent: qwen-code\n',
        JSON.stringify(input),
      );
    }
  }
});

test('a long text is cut and a long word is not', () => {
  assert.ok(commitMessage({ ...plain, body: 'word '.repeat(5000) }).length < 4500);
  assert.equal(wrap('x'.repeat(100)), 'x'.repeat(100));
});

test('written again, the commit is the same; the same tree gives none', async () => {
  using shop = workshop();
  shop.workingCopy('w');
  shop.write('w', { 'a.txt': 'a\n' });
  shop.git('w', 'add', '--all');
  shop.git('w', 'commit', '--quiet', '--message', 'one');
  shop.git('w', 'commit', '--quiet', '--allow-empty', '--message', 'two');
  const [head = '', middle = '', base = ''] = shop.git('w', 'rev-list', 'HEAD').split('\n');
  const input = {
    mirror: `${shop.dir}/w/.git`,
    base,
    head,
    message: 'm\n',
    author: AUTHOR,
    date: new Date(0),
  };
  const first = await writeCommit(shop.store.git, input);
  assert.equal(await writeCommit(shop.store.git, input), first);
  assert.equal(shop.git('w', 'log', '-1', '--format=%P %ct %an', String(first)), `${base} 0 Autocode`);
  assert.equal(await writeCommit(shop.store.git, { ...input, base: middle }), undefined);
});
