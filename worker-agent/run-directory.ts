// What a worker keeps of a run, by name: `<state>/runs/<run>/`. Written by the claimer and the runner, read by adoption.
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { RunId } from '../protocol/ids.ts';
import { FinishInput } from '../protocol/run.ts';
import { WorkOrder } from '../protocol/worker.ts';
import { syncDirectory, writeDurably } from './durable-file.ts';

export interface RunDirectory {
  path: string;
  /** The work order with token and key, 0600. A directory without it is not a run. */
  order: string;
  /** Name of the worker that claimed it. */
  worker: string;
  /** The runner process, written by itself once it holds the run's lock. */
  runner: string;
  /** What the runner reports, kept until the orchestrator has it: a crash in between loses nothing. */
  report: string;
  /** stdout and stderr of the runner itself, for post-mortems. */
  output: string;
  /** The streams of the run's log, by name. */
  log: (stream: string) => string;
  /** Git directory of the runner's own, from which the result in a repository is pushed. */
  exportGit: (repository: number) => string;
  /** Root of a sandbox: work tree, home and scratch directory of the base, the agent or the final check. */
  sandbox: (name: 'base' | 'work' | 'final') => { root: string; tree: string; home: string; tmp: string };
}

export const RunnerProcess = z.object({ pid: z.number().int(), startTime: z.string() });
export type RunnerProcess = z.infer<typeof RunnerProcess>;

/** A report as the runner leaves it; length and digest of the logs are added when it is sent. */
export const RunReport = FinishInput.omit({ logs: true });
export type RunReport = z.infer<typeof RunReport>;

/** The names inside a run's directory. */
export function runDirectory(stateDir: string, run: string): RunDirectory {
  return runDirectoryAt(path.join(stateDir, 'runs', run));
}

/** The same, for a directory that is known. */
export function runDirectoryAt(directory: string): RunDirectory {
  return {
    path: directory,
    order: path.join(directory, 'order.json'),
    worker: path.join(directory, 'worker'),
    runner: path.join(directory, 'runner.json'),
    report: path.join(directory, 'report.json'),
    output: path.join(directory, 'runner.log'),
    log: (stream) => path.join(directory, `${stream}.log`),
    exportGit: (repository) => path.join(directory, `export-${repository}.git`),
    sandbox: (name) => {
      const root = path.join(directory, name);
      return {
        root,
        tree: path.join(root, 'tree'),
        home: path.join(root, 'home'),
        tmp: path.join(root, 'tmp'),
      };
    },
  };
}

/** Runs that the state directory holds. What is not a run by name is a left-over and removed. */
export async function keptRuns(stateDir: string): Promise<string[]> {
  const directory = path.join(stateDir, 'runs');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = await readdir(directory);
  for (const name of names.filter((each) => !RunId.safeParse(each).success))
    await removeTree(path.join(directory, name));
  return names.filter((name) => RunId.safeParse(name).success);
}

/** Makes the directory of a claimed run; the order's appearance is what makes it one. */
export async function createRunDirectory(
  stateDir: string,
  order: WorkOrder,
  worker: string,
): Promise<RunDirectory> {
  const directory = runDirectory(stateDir, order.run);
  await mkdir(directory.path, { recursive: true, mode: 0o700 });
  await writeFile(directory.worker, worker); // of use to a worker that lives on, so not beyond a power cut
  await writeDurably(directory.order, JSON.stringify(order));
  await syncDirectory(path.dirname(directory.path));
  return directory;
}

/** The work order of a run, or null when there is none (a crash before it was written). */
export async function readOrder(directory: RunDirectory): Promise<WorkOrder | null> {
  return await readJson(directory.order, WorkOrder);
}

/** The file's document, or null when it is missing or not of the schema. */
export async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

/** Removes a run's directory: first out of sight, so that a crash in between leaves a left-over and not half a run. */
export async function removeRunDirectory(directory: RunDirectory): Promise<void> {
  const hidden = path.join(
    path.dirname(directory.path),
    `.removed-${path.basename(directory.path)}-${process.pid}`,
  );
  try {
    await rename(directory.path, hidden);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await removeTree(hidden);
}

/** Removes a tree in which directories may have been made read-only (Go's module cache does that). */
export async function removeTree(tree: string): Promise<void> {
  try {
    await rm(tree, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    await makeWritable(Buffer.from(tree));
    await rm(tree, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function makeWritable(directory: Buffer): Promise<void> {
  await chmod(directory, 0o700).catch(() => {});
  const entries = await readdir(directory, { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
  for (const entry of entries.filter((each) => each.isDirectory())) {
    await makeWritable(Buffer.concat([directory, Buffer.from('/'), entry.name])); // names need not be UTF-8
  }
}

/** Marks the environment of every process of a run; known to worker and runner alone, so that no other process has it by chance. */
export function processMark(order: WorkOrder): string {
  return createHash('sha256')
    .update(`processes of ${order.run} ${order.runToken}`)
    .digest('hex')
    .slice(0, 32);
}
