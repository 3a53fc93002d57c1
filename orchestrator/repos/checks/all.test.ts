import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SUBMISSION_RULES } from '../../../protocol/submission.ts';
import type { SubmissionRule } from '../../../protocol/submission.ts';
import { RULES } from './all.ts';
import type { ChangedFile } from './rule.ts';

const FILE: Omit<ChangedFile, 'path'> = {
  status: 'modified',
  mode: { before: '100644', after: '100644' },
  bytes: 10,
  binary: false,
  lines: 2,
  link: null,
};
const added = { status: 'added', mode: { before: null, after: '100644' } } as const;
const linkTo = (link: string) =>
  ({ status: 'added', mode: { before: null, after: '120000' }, link }) as const;
const submodule = { status: 'added', mode: { before: null, after: '160000' } } as const;
const program = { mode: { before: '100644', after: '100755' } };
const binary = (bytes: number) => ({ ...added, binary: true, lines: 0, bytes });

type Changed = string | [path: string, Partial<ChangedFile>];

/** Rule, what changed, and the paths that the rule finds (null: the change as a whole). */
const TABLE: [
  rule: SubmissionRule,
  about: string,
  files: Changed[],
  found: (string | null)[],
  targets?: string[],
][] = [
  ['outside-target', 'no targets: anywhere', ['a', 'b/c'], []],
  [
    'outside-target',
    'a file and a folder',
    ['src/a.ts', 'lib/x', 'lib', 'library/x', 'README'],
    ['library/x', 'README'],
    ['src/a.ts', './lib/'],
  ],
  ['outside-target', 'a pattern', ['a/x.test.ts', 'a/x.ts'], ['a/x.ts'], ['**/*.test.ts']],
  ['outside-target', 'the whole tree', ['a'], [], ['.']],
  ['outside-target', 'a deleted file', [['a', { status: 'deleted' }]], ['a'], ['b']],
  [
    'workflow-files',
    'by forge',
    [
      '.github/workflows/ci.yml',
      '.GITHUB/Workflows/ci.yml',
      '.gitea/workflows/x',
      'sub/.gitlab-ci.yml',
      '.circleci/config.yml',
    ],
    [
      '.github/workflows/ci.yml',
      '.GITHUB/Workflows/ci.yml',
      '.gitea/workflows/x',
      'sub/.gitlab-ci.yml',
      '.circleci/config.yml',
    ],
  ],
  [
    'workflow-files',
    'by build server',
    ['Jenkinsfile', 'ci/Jenkinsfile.release', 'azure-pipelines.yaml', '.drone.yml'],
    ['Jenkinsfile', 'ci/Jenkinsfile.release', 'azure-pipelines.yaml', '.drone.yml'],
  ],
  ['workflow-files', 'others', ['.github/README.md', 'src/workflows/a.yml', 'notjenkinsfile'], []],
  ['workflow-files', 'one that is deleted', [['Jenkinsfile', { status: 'deleted' }]], ['Jenkinsfile']],
  ['project-file', 'at the top', ['.autocode.yaml', 'a/.autocode.yaml'], ['.autocode.yaml']],
  ['project-file', 'deleted', [['.autocode.yaml', { status: 'deleted' }]], ['.autocode.yaml']],
  [
    'codeowners',
    'wherever it may lie',
    ['CODEOWNERS', '.github/codeowners', 'src/OWNERS', 'src/OWNERS.md'],
    ['CODEOWNERS', '.github/codeowners', 'src/OWNERS'],
  ],
  [
    'lockfiles',
    'alone',
    ['package-lock.json', 'go.sum', 'a/Cargo.lock'],
    ['package-lock.json', 'go.sum', 'a/Cargo.lock'],
  ],
  [
    'lockfiles',
    'with the manifest',
    ['package-lock.json', 'package.json', 'go.sum', 'go.mod', 'uv.lock', 'pyproject.toml'],
    [],
  ],
  ['lockfiles', 'of a workspace', ['yarn.lock', 'packages/a/package.json'], []],
  [
    'lockfiles',
    'with a manifest elsewhere',
    ['a/yarn.lock', 'b/package.json', 'x/go.sum', 'x/y/go.mod'],
    ['a/yarn.lock', 'x/go.sum'],
  ],
  ['lockfiles', 'a name of every object', ['constructor', 'a/toString'], []],
  ['size', 'small', ['a'], []],
  ['size', 'many files', Array.from({ length: 2001 }, (_, index) => `f${index}`), [null]],
  ['size', 'many lines and bytes', [['a', { lines: 100_001, bytes: 60 << 20 }]], [null, null]],
  ['size', 'a large one deleted', [['a', { status: 'deleted', bytes: 0, lines: 10 }]], []],
  [
    'binary-blobs',
    'by size',
    [
      ['small.png', binary(1000)],
      ['large.png', binary(1 << 20)],
      ['large.txt', { bytes: 1 << 20 }],
    ],
    ['large.png'],
  ],
  [
    'symlinks',
    'within the tree',
    [
      ['a/l', linkTo('../b/c')],
      ['m', linkTo('a')],
      ['loop', linkTo('loop')],
    ],
    [],
  ],
  [
    'symlinks',
    'out of it',
    [
      ['l', linkTo('/etc/passwd')],
      ['m', linkTo('../x')],
      ['a/n', linkTo('../../x')],
      ['w', linkTo('C:\\x')],
    ],
    ['l', 'm', 'a/n', 'w'],
  ],
  [
    'symlinks',
    'into .git',
    [
      ['l', linkTo('.git/hooks')],
      ['a/m', linkTo('../.GIT/config')],
    ],
    ['l', 'a/m'],
  ],
  [
    'symlinks',
    'out of it over another link',
    [
      ['d/e/l', linkTo('../../up/../../x')],
      ['up', linkTo('.')],
    ],
    ['d/e/l'],
  ],
  [
    'symlinks',
    'back into it over another link',
    [
      ['up', linkTo('a/b')],
      ['l', linkTo('up/../x')],
    ],
    [],
  ],
  ['symlinks', 'links that multiply', [['a', linkTo('a/a/a/a')]], []],
  [
    'submodules',
    'new, changed, and where they come from',
    [['lib', submodule], '.gitmodules', 'src/.gitmodules'],
    ['lib', '.gitmodules'],
  ],
  [
    'file-modes',
    'data made executable',
    [
      ['a.json', program],
      ['run.sh', program],
      ['b.md', {}],
    ],
    ['a.json'],
  ],
];

for (const [name, about, changed, found, targetFiles = []] of TABLE) {
  test(`${name}: ${about}`, async () => {
    const files = changed.map((each) =>
      typeof each === 'string' ? { ...FILE, path: each } : { ...FILE, path: each[0], ...each[1] },
    );
    const rule = RULES.find((each) => each.name === name)!;
    const diff = { files, contents: () => assert.fail('no contents needed') };
    const findings = await rule.find(diff, { targetFiles, checks: { rules: {}, allow: {} } });
    assert.deepEqual(
      findings.map(({ path }) => path),
      found,
    );
    for (const { reason, remedy } of findings) assert.ok(reason !== '' && remedy !== '');
  });
}

test('every rule of the protocol is there once', () => {
  assert.deepEqual(RULES.map((rule) => rule.name).sort(), [...SUBMISSION_RULES].sort());
});
