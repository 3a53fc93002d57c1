// What the files at the top of a repository say: which commands would verify it, and its .autocode.yaml.
// Used when a project is made.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileReading } from '../../protocol/project-file.ts';
import type { VerifyCommand } from '../../protocol/project.ts';
import type { Git } from './git.ts';
import { findOrigin } from './origin.ts';
import { readProjectFile } from './project-file/read.ts';

const NPM_PLACEHOLDER = 'no test specified';
const FILE_MAX_BYTES = 1 << 20;
const LOOK_TIMEOUT_MS = 10 * 60_000;

type Files = { names: Set<string>; read(name: string): Promise<string> };
type Rule = (files: Files) => Promise<string | undefined>;

// The first that fits is suggested: what a project says of itself goes before what its language does.
const RULES: Rule[] = [
  async ({ names, read }) =>
    names.has('package.json') && hasTestScript(await read('package.json')) ? 'npm test' : undefined,
  async ({ names, read }) => {
    const makefile = ['GNUmakefile', 'makefile', 'Makefile'].find((name) => names.has(name));
    return makefile !== undefined && /^test\s*:(?!=)/m.test(await read(makefile)) ? 'make test' : undefined;
  },
  async ({ names }) => (names.has('Cargo.toml') ? 'cargo test' : undefined),
  async ({ names }) => (names.has('go.mod') ? 'go test ./...' : undefined),
  async ({ names, read }) => {
    if (['pytest.ini', 'conftest.py', 'tox.ini'].some((name) => names.has(name))) return 'python3 -m pytest';
    const told = names.has('pyproject.toml') && /\bpytest\b/.test(await read('pyproject.toml'));
    return told || (names.has('setup.cfg') && /\[tool:pytest\]/.test(await read('setup.cfg')))
      ? 'python3 -m pytest'
      : undefined;
  },
  async ({ names }) =>
    ['pyproject.toml', 'setup.py'].some((name) => names.has(name)) && names.has('tests')
      ? 'python3 -m pytest'
      : undefined,
];

/** Looks into a branch before anything of the repository is stored. No commands when none are known. */
export async function lookInto(
  git: Git,
  repository: { origin: string; defaultBranch: string },
): Promise<{ verify: VerifyCommand[]; file: FileReading }> {
  const gitDir = await mkdtemp(join(tmpdir(), 'autocode-look-'));
  try {
    const origin = await findOrigin(repository.origin);
    await git.run(['init', '--quiet', '--bare', gitDir]);
    const flags = ['--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules'];
    await git.run(
      [
        'fetch',
        ...flags,
        '--',
        `${origin.local ? 'file://' : ''}${origin.address}`,
        `refs/heads/${repository.defaultBranch}:refs/heads/look`,
      ],
      {
        gitDir,
        remote: origin,
        timeoutMs: LOOK_TIMEOUT_MS,
        code: 'ERR_REPOSITORY_UNREACHABLE',
        doing: `The files of ${repository.origin} could not be looked at`,
      },
    );
    const commit = await git.text(['rev-parse', 'refs/heads/look'], { gitDir });
    return {
      verify: await verifyOfTree(git, gitDir, commit),
      file: await readProjectFile(git, gitDir, commit),
    };
  } finally {
    await rm(gitDir, { recursive: true, force: true });
  }
}

/** The verify commands that the files at the top of a tree suggest. */
export async function verifyOfTree(git: Git, gitDir: string, tree: string): Promise<VerifyCommand[]> {
  const listing = await git.run(['ls-tree', '--name-only', '-z', tree], { gitDir });
  const files: Files = {
    names: new Set(listing.stdout.toString().split('\0').filter(Boolean)),
    read: async (name) => {
      const { stdout } = await git.run(['cat-file', 'blob', `${tree}:${name}`], {
        gitDir,
        maxBytes: FILE_MAX_BYTES,
        accept: [128],
      });
      return stdout.toString();
    },
  };
  for (const rule of RULES) {
    const command = await rule(files);
    if (command !== undefined) return [{ name: 'test', command }];
  }
  return [];
}

function hasTestScript(text: string): boolean {
  try {
    const { scripts } = JSON.parse(text) as { scripts?: { test?: unknown } };
    return (
      typeof scripts?.test === 'string' &&
      scripts.test.trim() !== '' &&
      !scripts.test.includes(NPM_PLACEHOLDER)
    );
  } catch {
    return false;
  }
}
