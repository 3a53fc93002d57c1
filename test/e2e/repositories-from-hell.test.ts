// Repositories that are hard on git, on a whole appliance: each is worked on, or refused with an error that says what to do.
// Nothing that they configure runs in daemon or worker, but for the hooks that receive a push, which are the forge's own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { eventually, startAppliance } from './appliance.ts';
import { ENV, git, refused, repositoryWork, RIGHT } from './repository-work.ts';

const appliance = await startAppliance(
  'worker.concurrency=4',
  'limits.retries.agent=0',
  'limits.retries.platform=0',
);
after(() => appliance[Symbol.asyncDispose]());
const { repository, imported, add, work, changed } = repositoryWork(appliance);

/** A script that leaves a trace of having run. */
function trace(where: string, file: string, name: string): string {
  const script = path.join(where, file);
  mkdirSync(path.dirname(script), { recursive: true });
  writeFileSync(
    script,
    `#!/bin/sh\necho ${name} >> ${traces(where)}\n${name === 'filter' ? 'cat' : 'exit 0'}\n`,
  );
  chmodSync(script, 0o755);
  return script;
}
const traces = (where: string) => `${where}.ran`;
const ran = (where: string) =>
  existsSync(traces(where)) ? [...new Set(readFileSync(traces(where), 'utf8').trim().split('\n'))] : [];

const RECEIVING = ['pre-receive', 'update', 'post-receive', 'post-update', 'reference-transaction'];
const OF_CLIENTS = [
  'applypatch-msg',
  'pre-applypatch',
  'post-applypatch',
  'pre-commit',
  'pre-merge-commit',
  'prepare-commit-msg',
  'commit-msg',
  'post-commit',
  'pre-rebase',
  'post-checkout',
  'post-merge',
  'pre-push',
  'pre-auto-gc',
  'post-rewrite',
  'sendemail-validate',
  'fsmonitor-watchman',
  'post-index-change',
];

test('no hook and no program of its configuration runs, but the hooks that receive the push', async () => {
  const where = repository('hooks', (at) =>
    writeFileSync(path.join(at, '.gitattributes'), '* filter=evil diff=evil merge=evil\n'),
  );
  for (const hook of [...RECEIVING, ...OF_CLIENTS]) trace(where, `.git/hooks/${hook}`, hook);
  const program = trace(where, '.git/program', 'program');
  const filter = trace(where, '.git/filter', 'filter');
  const settings = {
    'core.fsmonitor': program,
    'core.sshCommand': program,
    'core.pager': program,
    'core.editor': program,
    'core.askPass': program,
    'core.gitProxy': program,
    'filter.evil.clean': filter,
    'filter.evil.smudge': filter,
    'filter.evil.required': 'true',
    'diff.external': program,
    'diff.evil.textconv': program,
    'diff.evil.command': program,
    'merge.evil.driver': program,
    'uploadpack.packObjectsHook': program,
    'credential.helper': program,
    'gpg.program': program,
    'commit.gpgSign': 'true',
    'interactive.diffFilter': program,
    'sequence.editor': program,
  };
  for (const [key, value] of Object.entries(settings))
    appendFileSync(
      path.join(where, '.git/config'),
      `[${key.slice(0, key.lastIndexOf('.')).replace(/\.(.*)/, ' "$1"')}]\n\t${key.slice(key.lastIndexOf('.') + 1)} = ${value}\n`,
    );
  utimesSync(path.join(where, 'answer'), 1, 1); // git status has to look into it
  assert.deepEqual(await changed(where, RIGHT, { allowDirty: false }), ['answer']);
  assert.deepEqual(
    ran(where).filter((name) => !RECEIVING.includes(name)),
    [],
  );
  assert.ok(ran(where).includes('post-receive'));
});

test('what an agent plants in its own .git runs nowhere once it is gone', async () => {
  const where = repository('planted');
  const flag = traces(where);
  const agent = [
    RIGHT,
    'echo "* filter=evil" > .gitattributes',
    `printf '#!/bin/sh\\necho planted >> ${flag}\\ncat' > .git/evil; chmod +x .git/evil`,
    'for hook in pre-commit post-checkout post-index-change reference-transaction pre-push; do cp .git/evil .git/hooks/$hook 2>/dev/null || { mkdir -p .git/hooks; cp .git/evil .git/hooks/$hook; }; done',
    'git config core.fsmonitor "$PWD/.git/evil"',
    'git config filter.evil.clean "$PWD/.git/evil"',
    'git config filter.evil.smudge "$PWD/.git/evil"',
    'mkdir -p .git/objects/info; echo /etc >> .git/objects/info/alternates',
    `rm -f ${flag}`,
  ];
  assert.deepEqual(await changed(where, agent.join('\n')), ['.gitattributes', 'answer']);
  assert.deepEqual(ran(where), []);
});

test('pointers of large file storage and other filtered files stay as they are', async () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 123456789\n`;
  const where = repository('pointers', (at) => {
    writeFileSync(
      path.join(at, '.gitattributes'),
      '*.bin filter=lfs diff=lfs merge=lfs -text\n*.txt text\n*.crlf text eol=crlf\n',
    );
    writeFileSync(path.join(at, 'model.bin'), pointer);
    writeFileSync(path.join(at, 'a.crlf'), 'a\nb\n');
  });
  assert.deepEqual(await changed(where), ['answer']);
});

test('files whose line ends are not what their attributes say are left alone', async () => {
  const where = repository('line-ends', (at) => writeFileSync(path.join(at, 'dos.txt'), 'a\r\nb\r\n'));
  writeFileSync(path.join(where, '.gitattributes'), '*.txt text\n');
  git(where, 'add', '.gitattributes');
  git(where, 'commit', '-qm', 'attributes');
  assert.deepEqual(await changed(where), ['answer']);
});

test('a submodule stays what it is, whatever is put in its place', async () => {
  const where = repository('submodules', (at) => {
    writeFileSync(
      path.join(at, '.gitmodules'),
      `[submodule "lib"]\n\tpath = lib\n\turl = ext::sh -c touch% ${path.join(appliance.directory, 'fetched')}\n`,
    );
    git(at, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},lib`);
    mkdirSync(path.join(at, 'lib'));
  });
  assert.deepEqual(await changed(where, `${RIGHT}; mkdir -p lib; echo x > lib/x`), ['answer']);
  assert.ok(!existsSync(path.join(appliance.directory, 'fetched')));
  const { task, run } = await work(
    repository('submodule-trap'),
    `${RIGHT}; printf '[submodule "l"]\\n\\tpath = l\\n\\turl = x\\n\\tupdate = !rm\\n' > .gitmodules`,
  );
  assert.deepEqual([task.state, run.cause], ['failed', 'agent']);
  assert.match(task.reason ?? '', /gitmodulesUpdate.*Mend or remove/s);
});

test('symbolic links in and out of the tree, loops and absolute ones are carried, and no new one out of it gets through', async () => {
  const links = (at: string) => {
    for (const [name, target] of [
      ['in', 'answer'],
      ['out', '../../../../etc/passwd'],
      ['absolute', '/etc'],
      ['loop', 'loop'],
      ['nowhere', 'no/such'],
    ] as const)
      symlinkSync(target, path.join(at, name));
  };
  assert.deepEqual(await changed(repository('links', links)), ['answer']);
  const where = repository('new-links', links);
  const { task, run, change } = await work(
    where,
    `${RIGHT}; ln -s /etc/passwd mine; mkdir d; ln -s ../in d/fine`,
  );
  assert.equal(task.state, 'failed');
  assert.deepEqual(
    run.findings.map(({ rule, path: file }) => [rule, file]),
    [['symlinks', 'mine']],
  );
  assert.equal(change, undefined);
  assert.match(await appliance.autocode('run', 'show', run.id), /symlinks/);
});

test('names that differ in case only are two files', async () => {
  const where = repository('case', (at) => {
    for (const name of ['Read.me', 'read.me', 'READ.ME']) writeFileSync(path.join(at, name), name);
  });
  assert.deepEqual(await changed(where, `${RIGHT}; echo x >> read.me`), ['answer', 'read.me']);
});

const ODD = [
  '-rf',
  '--help',
  ' space ',
  'new\nline',
  'quo"te\'s',
  'back\\slash',
  ':(exclude)x',
  '*',
  'ta\tb',
  '%s',
  '$(touch x)',
  '…',
  '@{u}',
];

test('odd names are files like any other: added, changed and removed', async () => {
  const where = repository('names', (at) => {
    for (const name of ODD) writeFileSync(path.join(at, name), 'old\n');
    writeFileSync(Buffer.concat([Buffer.from(`${at}/`), Buffer.from([0xff, 0xfe])]), 'old\n');
  });
  const latin = String.raw`"$(printf '\377\376')"`;
  const found = await changed(
    where,
    `${RIGHT}; for f in ./* ${latin}; do test "$f" = ./answer || echo new > "$f"; done; rm -- -rf; echo n > "$(printf 'n\\351w\\nname')"`,
  );
  assert.equal(found.length, ODD.length + 3, found.join(' '));
});

test('a .git in the tree, in any disguise, is refused from a repository and left out of a result', async () => {
  for (const [index, name] of ['.git', '.GIT', 'git~1', '.git ', '.g\u200cit'].entries()) {
    const where = repository(`disguise-${index}`);
    const blob = git(where, 'hash-object', '-w', 'answer').trim();
    const entries = [`100644 blob ${blob}\tanswer`, `100644 blob ${blob}\t${name}`].join('\n');
    const tree = execFileSync('git', ['mktree'], {
      cwd: where,
      env: ENV,
      input: `${entries}\n`,
      encoding: 'utf8',
    }).trim();
    git(where, 'update-ref', 'refs/heads/main', git(where, 'commit-tree', '-m', 'evil', tree).trim());
    const { task } = await work(where);
    assert.equal(task.state, 'failed', name);
    assert.match(task.reason ?? '', /\.git/, name);
    assert.match(task.reason ?? '', /remove|rename/i, name);
    assert.equal(task.attempt, 1, name);
  }
  const where = repository('nested');
  const agent = `${RIGHT}; mkdir -p sub/deep; git init -q sub; echo s > sub/s; mkdir sub/.GIT 2>/dev/null; echo x > 'git~1'; git init -q --bare bare`;
  const found = await changed(where, agent);
  assert.ok(
    found.includes('sub/s') && !found.some((name) => /(^|\/)(\.git|git~1)(\/|$)/i.test(name)),
    found.join(' '),
  );
});

test('another user owns it', { skip: process.getuid?.() === 0 ? false : 'needs root' }, async () => {
  chmodSync(appliance.directory, 0o755);
  const where = repository('owned');
  execFileSync('chown', ['-R', '12345:12345', where]);
  assert.deepEqual(await changed(where), ['answer']);
  assert.equal(execFileSync('find', [where, '!', '-uid', '12345'], { encoding: 'utf8' }), '');
});

test('replaced objects are what they were, grafts are told', async () => {
  const replaced = repository('replaced', (at) => writeFileSync(path.join(at, 'evil'), '43\n'));
  git(
    replaced,
    'replace',
    git(replaced, 'rev-parse', 'HEAD:answer').trim(),
    git(replaced, 'rev-parse', 'HEAD:evil').trim(),
  );
  assert.deepEqual(await changed(replaced, `test "$(cat answer)" = 41 && ${RIGHT}`), ['answer']);
  const grafted = repository('grafted');
  git(grafted, 'commit', '-q', '--allow-empty', '-m', 'second');
  writeFileSync(path.join(grafted, '.git/info/grafts'), `${git(grafted, 'rev-parse', 'HEAD').trim()}\n`);
  assert.match(await refused(add('grafted', grafted)), /grafts.*--convert-graft-file/s);
});

test('objects may come from another repository; when they are gone, it says so', async () => {
  const source = repository('source');
  const where = path.join(appliance.directory, 'borrower');
  git(appliance.directory, 'clone', '-q', '--shared', source, where);
  assert.deepEqual(await changed(where), ['answer']);
  const broken = path.join(appliance.directory, 'broken');
  git(appliance.directory, 'clone', '-q', '--shared', source, broken);
  writeFileSync(path.join(broken, '.git/objects/info/alternates'), '/no/such/objects\n');
  assert.match(await refused(add('broken', broken)), /missing.*alternates/s);
});

test('shallow, empty, detached and unborn repositories are refused with what to do', async () => {
  const deep = repository('deep');
  git(deep, 'commit', '-q', '--allow-empty', '-m', 'second');
  const shallow = path.join(appliance.directory, 'shallow');
  git(appliance.directory, 'clone', '-q', '--depth=1', `file://${deep}`, shallow);
  assert.match(await refused(add('shallow', shallow)), /--unshallow/);

  const empty = path.join(appliance.directory, 'empty');
  git(appliance.directory, 'init', '-q', empty);
  assert.match(await refused(add('empty', empty)), /no commits.*Commit something/s);

  const detached = repository('detached');
  git(detached, 'checkout', '-q', '--detach');
  assert.match(await refused(add('detached', detached)), /on no branch.*main/s);
  assert.deepEqual(await changed(detached, RIGHT, { defaultBranch: 'main' }), ['answer']);

  const unborn = repository('unborn');
  git(unborn, 'symbolic-ref', 'HEAD', 'refs/heads/not-yet');
  assert.match(await refused(add('unborn', unborn)), /on no branch.*main/s);
});

test('a branch that is named like an option is a branch', async () => {
  for (const [index, branch] of ['--upload-pack=touch', '-f', '--all'].entries()) {
    const where = repository(`option-${index}`);
    git(where, 'update-ref', `refs/heads/${branch}`, 'HEAD');
    assert.deepEqual(await changed(where, RIGHT, { defaultBranch: branch }), ['answer']);
  }
});

// A fifth of what was tried (a hundred thousand take half a minute on two idle cores).
test('twenty thousand small files', async () => {
  const where = imported(
    'many',
    (function* () {
      yield 'commit refs/heads/main\ncommitter t <t@example.org> 1 +0000\ndata 1\nm\nfrom refs/heads/main^0';
      for (let index = 0; index < 20_000; index++)
        yield `M 644 inline d${index % 300}/f${index}\ndata 6\n${String(index).padStart(6)}`;
      yield '';
    })(),
  );
  assert.deepEqual(await changed(where), ['answer']);
});

test('a history of five thousand commits', async () => {
  const where = imported(
    'history',
    (function* () {
      yield 'reset refs/heads/main\nfrom refs/heads/main^0\n';
      for (let index = 0; index < 5_000; index++)
        yield `commit refs/heads/main\ncommitter t <t@example.org> ${index} +0000\ndata 1\nh\nM 644 inline log\ndata 6\n${String(index).padStart(6)}\n`;
    })(),
  );
  assert.equal(git(where, 'rev-list', '--count', 'main').trim(), '5001');
  assert.deepEqual(await changed(where), ['answer']);
});

// All zero bytes, so that two cores pack it in a second; it is as long for every reader (a gigabyte takes half a minute).
test('a large file', async () => {
  const where = repository('large', (at) => execFileSync('truncate', ['-s', '128M', path.join(at, 'large')]));
  rmSync(path.join(where, 'large')); // the commit has it
  assert.deepEqual(await changed(where), ['answer']);
});

test('a base that was replaced by a history of its own is told when the change is to be merged', async () => {
  const where = repository('rewritten');
  const { change } = await work(where);
  assert.ok(change !== undefined);
  git(where, 'checkout', '-q', '--orphan', 'other');
  writeFileSync(path.join(where, 'answer'), 'other\n');
  git(where, 'add', '--all');
  git(where, 'commit', '-qm', 'other');
  git(where, 'branch', '-f', 'main', 'other');
  assert.match(await refused(appliance.api('POST', `/changes/${change.id}/merge`)), /main/);
});

test('nothing is left behind', async () => {
  const left = () => readdirSync(path.join(appliance.dataDir, 'worker/runs'));
  await eventually(
    () => Promise.resolve(left().length === 0 || undefined),
    'the directories of the runs to go',
    10_000,
  );
});
