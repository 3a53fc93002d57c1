// Which workers may take a task and why others may not: the part of an explanation that is about workers. Used by explain.ts.
import type { Wait } from '../../protocol/scheduling.ts';
import type { Books } from '../budget/charge.ts';
import { usedUp } from '../budget/limits.ts';
import type { SchedulingSettings } from '../config/scheduling-settings.ts';
import type { RunNeeds } from '../config/placement-settings.ts';
import type { Queryable } from '../db/connect.ts';
import type { EngineKeys } from './locked-secrets.ts';
import { candidates, fullness, isAble, type Candidate, type Condition } from './worker-candidates.ts';

/** What the configuration contributes to an explanation. */
export interface ExplainSettings {
  books: Books;
  needs: RunNeeds;
  engineKeys?: EngineKeys;
  scheduling: Pick<SchedulingSettings, 'limits' | 'quietHours'>;
  /** Why there is no dispatched allocation for a task yet; undefined when none is to come. */
  dispatch?: (task: number) => Promise<Wait | undefined>;
}

/** So many of the tasks that go before it are named. */
export const NAMED = 20;

/** How many tasks go before it, in words. */
export function tasksBefore({ length }: number[]): string {
  if (length === 1) return 'a task goes before it';
  return `${length === NAMED ? `${NAMED} or more` : length} tasks go before it`;
}

/** What a task waits for where workers are concerned; nothing when one may take it now. */
export async function explainWorkers(
  db: Queryable,
  task: number,
  before: number[],
  settings: ExplainSettings,
): Promise<Wait[]> {
  const own = await waitForWorkers(db, task, before, settings);
  if (own === undefined) return [];
  const dispatch = await settings.dispatch?.(task);
  return [dispatch ?? own];
}

async function waitForWorkers(
  db: Queryable,
  task: number,
  before: number[],
  { books, needs }: ExplainSettings,
): Promise<Wait | undefined> {
  const online = (await candidates(db, task, needs)).filter((worker) => worker.online);
  if (online.length === 0) {
    return noWorker(
      'No worker is online.',
      'Start one: `autocode worker start`, or worker.local in the configuration.',
    );
  }
  const unfit = unfitness(online);
  if (unfit !== undefined) return unfit;
  const able = online.filter(isAble);
  const owners = able.map(({ name }) => ({ scope: 'worker' as const, subject: name }));
  const broke = new Set((await usedUp(db, owners, books.timeZone)).map(({ subject }) => subject));
  const paid = able.filter(({ name }) => !broke.has(name));
  if (paid.length === 0) {
    return noWorker(
      `The budgets of ${namesOf(able)} are used up.`,
      'See `autocode budget list`; set larger ones, or wait for the next period.',
    );
  }
  const full = paid.map((worker) => fullness(worker, needs));
  if (full.includes(undefined)) return undefined;
  return full.length > 0 && paid.every(isTooSmall) ? tooSmall(paid) : noRoom(full, before);
}

function noRoom(full: (string | undefined)[], before: number[]): Wait {
  const queue = before.length === 0 ? 'it is the next' : tasksBefore(before);
  return {
    for: 'room',
    why: `All workers that may take it are full: ${full.join(', ')}; ${queue}.`,
    remedy:
      'It begins when a run ends, or with `autocode worker undrain`. More runs at a time: worker.concurrency, placement.memoryMib, or another worker.',
    tasks: before,
  };
}

const isTooSmall = ({ memoryMib, wanted }: Candidate) => memoryMib !== null && memoryMib < wanted.memoryMib;

function tooSmall(workers: Candidate[]): Wait {
  const { project, agent, memoryMib } = workers[0]!.wanted;
  const had = workers.map((worker) => `${worker.name} has ${worker.memoryMib}`).join(', ');
  return noWorker(
    `A run of ${agent} needs ${memoryMib} MiB of memory; in all ${had}.`,
    `\`autocode project set ${project} --run-memory MIB\`, placement.memoryMib in the configuration, or a larger worker.`,
  );
}

/** Why none of them may take it: the first thing that none of those that are left has. */
function unfitness(online: Candidate[]): Wait | undefined {
  const { agent, isolation, project, placement, labels } = online[0]!.wanted;
  const asked: [Condition, string, string][] = [
    [
      'project',
      `${namesOf(online)} may work for other projects only.`,
      `Start a worker for project ${project}, or one for all.`,
    ],
    [
      'placement',
      `Project ${project} asks for placement ${placement}, and none of ${namesOf(online)} is such a worker.`,
      `Start one, or \`autocode project set ${project} --placement any\`.`,
    ],
    [
      'labels',
      `Project ${project} asks for workers with ${labels.join(', ')}, and none of ${namesOf(online)} has that.`,
      `Start one with --label, or \`autocode project set ${project} --worker-label ''\`.`,
    ],
    [
      'trust',
      `Project ${project} asks for isolation directory, and is not trusted.`,
      `\`autocode project set ${project} --trusted\`, or --isolation bubblewrap.`,
    ],
    [
      'isolation',
      `None of ${namesOf(online)} offers isolation ${isolation}.`,
      "On a worker's machine, `autocode doctor` says what to install.",
    ],
    [
      'agent',
      `None of ${namesOf(online)} has the agent ${agent}.`,
      `Install it on a worker's machine: \`autocode agent install ${agent}\`.`,
    ],
  ];
  let left = online;
  for (const [what, why, remedy] of asked) {
    left = left.filter((worker) => worker[what]);
    if (left.length === 0) return noWorker(why, remedy);
  }
  return undefined;
}

const noWorker = (why: string, remedy: string): Wait => ({ for: 'worker', why, remedy, tasks: [] });
const namesOf = (workers: Candidate[]) => workers.map(({ name }) => name).join(', ');
