// Sees when a task comes to a named moment, by what the product writes there: no part of the product knows of this.
// Keeps a second link to every log file of a run, to compare it with what the orchestrator has in the end.
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LOG_STREAMS, type RUN_STEPS } from '../../../protocol/log.ts';
import type { Moment } from './points.ts';

const LOOK_MS = 2;

export interface Places {
  dataDir: string;
  /** The repository that the task is of, and its id at the orchestrator. */
  origin: string;
  repository: number;
  /** Where the runners' own log files are kept beyond the end of their runs. */
  kept: string;
  /** Tasks whose plan somebody approves now. */
  approving: Set<number>;
}

/** Resolves when a run of the task comes to the moment; false when `given up` says that it will not. */
export async function momentOf(
  moment: Moment,
  task: number,
  places: Places,
  givenUp: () => boolean,
): Promise<boolean> {
  const seen = new Set<string>();
  for (;;) {
    const runs = runsOf(places, task);
    for (const run of runs) keepLogs(path.join(places.dataDir, 'worker'), places.kept, run);
    if (hasCome(moment, task, runs, seen, places)) return true;
    for (const run of runs) seen.add(run);
    if (givenUp()) return false;
    await delay(LOOK_MS);
  }
}

/** Links the log files of the runs of workers until the signal aborts. */
export async function keepAllLogs(
  dataDir: string,
  kept: string,
  signal: AbortSignal,
  stateDirs = [path.join(dataDir, 'worker')],
): Promise<void> {
  mkdirSync(kept, { recursive: true });
  while (!signal.aborted) {
    for (const stateDir of stateDirs)
      for (const run of namesIn(path.join(stateDir, 'runs'))) keepLogs(stateDir, kept, run);
    await delay(20);
  }
}

function runsOf({ dataDir }: Places, task: number): string[] {
  return namesIn(path.join(dataDir, 'worker/runs')).filter((name) => name.startsWith(`${task}-`));
}

function keepLogs(stateDir: string, kept: string, run: string): void {
  for (const stream of LOG_STREAMS) {
    try {
      linkSync(path.join(stateDir, 'runs', run, `${stream}.log`), path.join(kept, `${run}.${stream}.log`));
    } catch {
      // Not there yet, kept already, or gone.
    }
  }
}

function hasCome(moment: Moment, task: number, runs: string[], seen: Set<string>, places: Places): boolean {
  const inRun = (name: string) =>
    runs.some((run) => existsSync(path.join(places.dataDir, 'worker/runs', run, name)));
  switch (moment) {
    case 'claimed':
      return runs.length > 0;
    case 'runner-up':
      return inRun('runner.json');
    case 'approving':
      return places.approving.has(task);
    case 'planned':
    case 'reported':
      return inRun('report.json');
    case 'handed-over':
      return [...seen].some((run) => !runs.includes(run));
    case 'branch-noted':
      return namesIn(
        path.join(
          places.dataDir,
          'worker-artifacts/projects',
          String(places.repository),
          'mirror.git/refs/submitted',
        ),
      ).some((name) => name.startsWith(`${task}-`));
    case 'pushing':
    case 'pushed':
      return readOrEmpty(path.join(places.origin, '.git', moment)).includes(`refs/heads/autocode/${task}-`);
    default:
      return runs.some((run) =>
        announces(path.join(places.dataDir, 'worker/runs', run, 'events.log'), moment),
      );
  }
}

function announces(log: string, step: (typeof RUN_STEPS)[number]): boolean {
  return readOrEmpty(log).includes(`"type":"step","step":"${step}"`);
}

/** The last step that a run's log tells of, and whether it was still under way. */
export function lastStep(kept: string, task: number): string {
  const [log] = namesIn(kept)
    .filter((name) => name.startsWith(`${task}-`) && name.endsWith('.events.log'))
    .toReversed();
  const lines = readOrEmpty(path.join(kept, log ?? '-'))
    .split('\n')
    .filter((line) => line.includes('"type":"step"'));
  const found = /"step":"([a-z-]+)".*"status":"([a-z]+)"/.exec(lines.at(-1) ?? '');
  return found === null ? 'no step' : `${found[1]} ${found[2]}`;
}

/** Names in a directory; none when it is not there. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** The text of a file; empty when it is not there. */
export function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
