// Programs that an agent can plant for git to start: hooks, core.fsmonitor, the same in nested repositories and submodules.
// The runner's own git, outside the sandbox, must start none of them. Used by the full self-test.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { programPath } from '../../config.ts';
import { checkout } from '../../workspace/checkout.ts';
import { exportTree } from '../../workspace/export.ts';
import { git, gitLine } from '../../workspace/git.ts';
import type { ScratchConfined } from '../scratch.ts';
import type { Finding } from './quick.ts';

const run = promisify(execFile);

/** Plants them all as an agent would, lets the runner's git make a commit of the tree, and looks which were sprung. */
export async function tryGitTraps(sandbox: ScratchConfined): Promise<Finding[]> {
  const context = { path: programPath(), signal: new AbortController().signal };
  const at = (name: string) => path.join(sandbox.directory, name);
  const cache = at('cache.git');
  const base = await baseCommit(context, cache);
  const tree = at('trapped');
  await checkout(context, { tree, commit: base, branch: 'work', objects: [path.join(cache, 'objects')] });
  const index = at('index');
  await copyFile(path.join(tree, '.git', 'index'), index);
  const sprung = (name: string) => at(`sprung-${name}`);
  const names = ['the repository', 'a nested repository', 'a submodule'];
  for (const [index, place] of [tree, path.join(tree, 'nested'), path.join(tree, 'module')].entries()) {
    await plant(place, sprung(String(index)));
  }
  await writeFile(path.join(tree, 'new.txt'), 'new\n');
  const result = await exportTree(context, {
    gitDir: at('export.git'),
    tree,
    cache,
    baseCommit: base,
    startCommit: base,
    index,
    changed: null,
    message: 'self-test',
  });
  const made = result.commit === null ? 'nothing was committed' : 'left alone by the commit of the result';
  return names.map((name, index) => ({
    name: `hooks and core.fsmonitor of ${name}`,
    result: existsSync(sprung(String(index))) ? 'escaped' : result.commit === null ? 'not-tried' : 'ok',
    detail: existsSync(sprung(String(index))) ? 'started outside the sandbox' : made,
  }));
}

/** A bare repository with one commit, which has a submodule in `module`. */
async function baseCommit(context: Parameters<typeof git>[0], cache: string): Promise<string> {
  await git(context, ['init', '--quiet', '--bare', '--template=', cache], { cwd: path.dirname(cache) });
  const call = { cwd: cache, gitDir: cache };
  const who = {
    GIT_AUTHOR_NAME: 't',
    GIT_AUTHOR_EMAIL: 't@t',
    GIT_COMMITTER_NAME: 't',
    GIT_COMMITTER_EMAIL: 't@t',
  };
  const modules = await gitLine(context, ['hash-object', '-w', '--stdin'], {
    ...call,
    input: '[submodule "m"]\n\tpath = module\n\turl = ./m\n',
  });
  const listing = `100644 blob ${modules}\t.gitmodules\n160000 commit ${'1'.repeat(40)}\tmodule\n`;
  const tree = await gitLine(context, ['mktree', '--missing'], { ...call, input: listing });
  return await gitLine(context, ['commit-tree', tree, '-m', 'base'], { ...call, env: who });
}

async function plant(place: string, sprung: string): Promise<void> {
  await mkdir(place, { recursive: true });
  const trap = path.join(place, '.git-trap');
  await writeFile(trap, `#!/bin/sh\ntouch ${sprung}\n`);
  await chmod(trap, 0o755);
  const plain = {
    env: {
      PATH: programPath(),
      HOME: '/nonexistent',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
    },
  };
  await run('git', ['init', '--quiet', place], plain);
  const settings = {
    'core.fsmonitor': trap,
    'core.hooksPath': path.join(place, '.git/traps'),
    'filter.trap.clean': trap,
    'diff.external': trap,
  };
  for (const [key, value] of Object.entries(settings)) {
    await run('git', ['config', '--file', path.join(place, '.git/config'), key, value], plain);
  }
  await mkdir(path.join(place, '.git/traps'), { recursive: true });
  await mkdir(path.join(place, '.git/hooks'), { recursive: true });
  for (const hook of [
    'pre-commit',
    'post-index-change',
    'reference-transaction',
    'pre-push',
    'post-checkout',
  ]) {
    for (const directory of ['traps', 'hooks']) {
      await writeFile(path.join(place, '.git', directory, hook), `#!/bin/sh\ntouch ${sprung}\n`, {
        mode: 0o755,
      });
    }
  }
  await writeFile(path.join(place, '.gitattributes'), '* filter=trap\n');
  await writeFile(path.join(place, 'inside.txt'), 'x\n');
}
