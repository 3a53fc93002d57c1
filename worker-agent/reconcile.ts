// Compares what lies on this machine with the runs that there are, and removes what no run has any more. A difference is mended
// when it is found twice in a row: what comes and goes meanwhile is at work. Used by the worker, every half minute, and by
// `autocode worker reconcile`. More kinds are added to FINDERS.
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RunId } from '../protocol/ids.ts';
import type { Log } from '../telemetry/log.ts';
import { isListening, isLocked } from './lock.ts';
import { removeTree, runDirectory } from './run-directory.ts';
import { MARK_NAME, send, startTimeOf } from './run-processes.ts';

export interface Difference {
  kind: 'directory' | 'process' | 'socket' | 'file' | 'run';
  /** Path, or number of the process. */
  what: string;
  why: string;
  /** Null when it is not for this pass to mend. */
  mend: (() => Promise<void>) | null;
}

export interface Reconciled {
  stateDir: string;
  /** Where the sockets lie whose paths would be too long in the run's directory. */
  socketBase: string;
  /** What looks after the runs; null outside a worker. */
  pool: { has(run: string): boolean; adopt(): Promise<void> } | null;
}

type Finder = (places: Reconciled) => Promise<Difference[]>;

const EVERY_MS = 30_000;
const FINDERS: Finder[] = [strayDirectories, unattendedRuns, strayProcesses, deadSockets, halfFiles];

/** All differences that there are now. */
export async function differences(places: Reconciled): Promise<Difference[]> {
  return (await Promise.all(FINDERS.map(async (find) => await find(places)))).flat();
}

/** Those of `now` that were there before too. */
export function lasting(before: Difference[], now: Difference[]): Difference[] {
  const keys = new Set(before.map(keyOf));
  return now.filter((difference) => keys.has(keyOf(difference)));
}

/** Finds and mends until the signal aborts. */
export async function keepReconciled(
  places: Reconciled,
  log: Log,
  signal: AbortSignal,
  everyMs = EVERY_MS,
): Promise<void> {
  let before: Difference[] = [];
  while (!signal.aborted) {
    await delay(everyMs, undefined, { signal }).catch(() => {});
    try {
      const now = await differences(places);
      for (const { kind, what, why, mend } of lasting(before, now)) {
        await mend?.();
        if (mend !== null) log.warn(`mended: ${kind} ${what}: ${why}`, { kind });
      }
      before = now;
    } catch (error) {
      log.error(`the reconciliation failed, it is tried again: ${(error as Error).message}`, { error });
    }
  }
}

function keyOf({ kind, what }: Difference): string {
  return `${kind} ${what}`;
}

async function strayDirectories({ stateDir }: Reconciled): Promise<Difference[]> {
  const runs = path.join(stateDir, 'runs');
  return (await namesIn(runs))
    .filter((name) => !RunId.safeParse(name).success)
    .map((name) => path.join(runs, name))
    .map((what) => ({
      kind: 'directory',
      what,
      why: 'its run has ended',
      mend: async () => await removeTree(what),
    }));
}

// The worker's pool ends the runs whose runners died; one that it does not know of it takes up.
async function unattendedRuns({ stateDir, pool }: Reconciled): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const run of await runsOf(stateDir)) {
    const { path: what } = runDirectory(stateDir, run);
    if (pool === null ? await isLocked(what, 'runner') : pool.has(run)) continue;
    if (pool === null)
      found.push({
        kind: 'run',
        what,
        why: 'it has no runner; a worker on this directory ends it',
        mend: null,
      });
    else
      found.push({ kind: 'run', what, why: 'nobody looks after it', mend: async () => await pool.adopt() });
  }
  return found;
}

// Processes of a run name its directory: runners in their arguments, all others in an environment with the run's mark.
async function strayProcesses({ stateDir }: Reconciled): Promise<Difference[]> {
  const live = new Set(await runsOf(stateDir));
  const found: Difference[] = [];
  for (const pid of (await namesIn('/proc'))
    .map(Number)
    .filter((each) => Number.isInteger(each) && each !== process.pid)) {
    const run = await runOfProcess(pid, path.join(stateDir, 'runs'));
    const since = run === null || live.has(run) ? null : startTimeOf(pid);
    if (since === null) continue;
    found.push({
      kind: 'process',
      what: String(pid),
      why: `run ${run} has ended`,
      mend: async () => {
        if (startTimeOf(pid) === since) send(pid, 'SIGKILL');
      },
    });
  }
  return found;
}

async function runOfProcess(pid: number, runs: string): Promise<string | null> {
  const [words, environment] = await Promise.all(
    [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`].map(readOrEmpty),
  );
  const isRunner = words!.includes('runner/main.ts\0');
  const text = isRunner ? words! : environment!.includes(`${MARK_NAME}=`) ? environment! : '';
  const at = text.indexOf(`${runs}/`);
  if (at < 0) return null;
  const [name = ''] = text.slice(at + runs.length + 1).split(/[/\0]/, 1);
  return RunId.safeParse(name).success ? name : null;
}

// The kernel refuses a connection to a socket that nobody listens on any more.
async function deadSockets({ socketBase }: Reconciled): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const name of (await namesIn(socketBase)).filter((each) => /^[0-9a-f]{16}-.*\.sock$/.test(each))) {
    const what = path.join(socketBase, name);
    if (await isListening(what)) continue;
    found.push({
      kind: 'socket',
      what,
      why: 'nobody listens on it',
      mend: async () => await rm(what, { force: true }),
    });
  }
  return found;
}

// What a crash leaves of a file that is written beside its place and renamed into it.
async function halfFiles({ stateDir }: Reconciled): Promise<Difference[]> {
  const folders = [stateDir, ...(await runsOf(stateDir)).map((run) => path.join(stateDir, 'runs', run))];
  const found: Difference[] = [];
  for (const folder of folders) {
    for (const name of (await namesIn(folder)).filter((each) => /\.\d+\.new$/.test(each))) {
      const what = path.join(folder, name);
      const writer = Number(/\.(\d+)\.new$/.exec(name)![1]);
      if (startTimeOf(writer) !== null && writer !== process.pid) continue;
      found.push({
        kind: 'file',
        what,
        why: 'its writer has ended',
        mend: async () => await rm(what, { force: true }),
      });
    }
  }
  return found;
}

async function runsOf(stateDir: string): Promise<string[]> {
  return (await namesIn(path.join(stateDir, 'runs'))).filter((name) => RunId.safeParse(name).success);
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => []);
}

async function readOrEmpty(file: string): Promise<string> {
  return await readFile(file, 'latin1').catch(() => '');
}
