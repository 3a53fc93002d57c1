import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pairsOf, parsePatch } from './patch.ts';

test("git's own difference is read: new, deleted, renamed and binary files, modes, odd names, no newline at the end", (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-patch-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', directory, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
      encoding: 'utf8',
    });
  const write = (name: string, content: string | Buffer) => writeFileSync(join(directory, name), content);
  git('init', '-q');
  write('kept', Array.from({ length: 30 }, (_, i) => `line ${i + 1}\n`).join(''));
  write('gone', '-- a comment\n++ of sorts\n');
  write('was here', 'same\n'.repeat(20));
  write('blob', Buffer.from([0, 1, 2]));
  write('run', '#!/bin/sh\n');
  git('add', '.');
  git('commit', '-qm', 'a');
  write('kept', `${Array.from({ length: 30 }, (_, i) => `line ${i === 20 ? 'x' : i + 1}\n`).join('')}end`);
  rmSync(join(directory, 'gone'));
  renameSync(join(directory, 'was here'), join(directory, 'is here'));
  write('blob', Buffer.from([0, 1, 3]));
  write('né\tw', '@@ -1 +1 @@\n');
  chmodSync(join(directory, 'run'), 0o755);
  git('add', '-A');
  const files = parsePatch(git('diff', '--cached', '--find-renames'));
  const told = files.map(({ hunks, ...file }) => ({ ...file, hunks: hunks.length }));
  const plain = {
    oldPath: null,
    status: 'modified',
    binary: false,
    mode: null,
    added: 0,
    deleted: 0,
    hunks: 0,
  };
  assert.deepEqual(
    told.toSorted((one, other) => one.path.localeCompare(other.path)),
    [
      { ...plain, path: 'blob', binary: true },
      { ...plain, path: 'gone', status: 'deleted', deleted: 2, hunks: 1 },
      { ...plain, path: 'is here', oldPath: 'was here', status: 'renamed' },
      { ...plain, path: 'kept', added: 2, deleted: 1, hunks: 2 },
      { ...plain, path: 'né\tw', status: 'added', added: 1, hunks: 1 },
      { ...plain, path: 'run', mode: '100755' },
    ],
  );
  const [first, second] = files.find(({ path }) => path === 'kept')!.hunks;
  assert.deepEqual(first!.lines[3], { kind: 'deleted', old: 21, new: null, text: 'line 21' });
  assert.deepEqual(first!.lines[4], { kind: 'added', old: null, new: 21, text: 'line x' });
  assert.deepEqual(second!.lines.at(-1), { kind: 'added', old: null, new: 31, text: 'end' });
  assert.equal(files.find(({ path }) => path === 'gone')!.hunks[0]!.lines[0]!.text, '-- a comment');
});

test('side by side, what was deleted stands beside what came in its place', () => {
  const line = (kind: 'same' | 'added' | 'deleted', text: string) => ({ kind, old: 1, new: 1, text });
  const lines = [
    line('same', 'a'),
    line('deleted', 'b'),
    line('deleted', 'c'),
    line('added', 'd'),
    line('same', 'e'),
    line('added', 'f'),
  ];
  assert.deepEqual(
    pairsOf({ section: '', lines }).map((pair) => [pair.old?.text ?? null, pair.new?.text ?? null]),
    [
      ['a', 'a'],
      ['b', 'd'],
      ['c', null],
      ['e', 'e'],
      [null, 'f'],
    ],
  );
});

test('what is no difference has no files; one that is cut off ends where it ends', () => {
  assert.deepEqual(parsePatch(''), []);
  assert.deepEqual(parsePatch('nothing of the kind\n@@ -1 +1 @@\n-a\n'), []);
  const cut = parsePatch('diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,5 +1,5 @@\n a\n-b');
  assert.deepEqual([cut[0]!.path, cut[0]!.deleted, cut[0]!.hunks[0]!.lines.length], ['x', 1, 2]);
});
