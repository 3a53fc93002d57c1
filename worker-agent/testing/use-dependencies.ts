// A program for tests, to be started in a mount namespace: gives a HOME the caches of dependencies, runs a shell script there, takes
// what came of it for the shelf and prints as a line of JSON what it was given and what it has made.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { chooseVersion, layOut, putOnShelf, takeOut, type Shelf } from '../workspace/dependencies.ts';

export interface DependenciesTry {
  shelf: Shelf;
  versions: string[];
  runDirectory: string;
  overlay: boolean;
  owner: number | null;
  script: string;
  limitBytes: number;
}

export interface DependenciesDone {
  given: string | null;
  /** Of the script. */
  output: string;
  made: { files: number; bytes: number; changed: number; whole: boolean } | null;
}

const { shelf, versions, runDirectory, overlay, owner, script, limitBytes } = JSON.parse(
  process.argv[2] ?? '',
) as DependenciesTry;
const context = { path: process.env.PATH ?? '', signal: AbortSignal.timeout(60_000) };
const given = await chooseVersion(context, shelf, versions, runDirectory);
const home = path.join(runDirectory, 'home');
await layOut(context, { given, root: runDirectory, home, overlay, owner });
const output = execFileSync('sh', ['-c', script], { cwd: home }).toString();
const made = await takeOut(
  context,
  { given, root: runDirectory, home, owner },
  path.join(runDirectory, 'made'),
  limitBytes,
);
if (made !== null) await putOnShelf(context, shelf, path.basename(runDirectory), made.version);
process.stdout.write(`${JSON.stringify({ given, output, made } satisfies DependenciesDone)}\n`);
