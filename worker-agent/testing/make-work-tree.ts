// A program for tests, to be started in a mount namespace: makes a work tree, runs a shell script in it, exports the result and
// prints what came of it as a line of JSON; then, if it is to stay, waits to be killed.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { exportTree } from '../workspace/export.ts';
import { changedLayer, makeWorkTree, startIndex, type WorkTreeOptions } from '../workspace/work-tree.ts';

export interface WorkTreeTry {
  options: WorkTreeOptions;
  cache: string;
  script: string;
  stay: boolean;
}

export interface WorkTreeDone {
  kind: string;
  /** Of the script, as latin1. */
  output: string;
  changes: { path: string; change: string }[];
  commit: string | null;
}

const { options, cache, script, stay } = JSON.parse(process.argv[2] ?? '') as WorkTreeTry;
const context = { path: process.env.PATH ?? '', signal: AbortSignal.timeout(60_000) };
const kind = await makeWorkTree(context, options);
const { tree } = options;
const output = execFileSync('sh', ['-c', script], { cwd: tree }).toString('latin1');
const { changes, commit } = await exportTree(context, {
  gitDir: path.join(options.runDirectory, 'export.git'),
  tree,
  cache,
  baseCommit: options.baseCommit,
  startCommit: options.commit,
  index: startIndex(options.root),
  changed: changedLayer(options.root),
  message: 'result',
});
process.stdout.write(`${JSON.stringify({ kind, output, changes, commit } satisfies WorkTreeDone)}\n`);
if (stay) setInterval(() => {}, 1_000_000);
