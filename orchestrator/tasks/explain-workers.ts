// Which workers may take a task and why others may not: the part of an explanation that is about workers. Used by explain.ts.
import type { Wait } from '../../protocol/scheduling.ts';
import type { Books } from '../budget/charge.ts';
import { usedUp } from '../budget/limits.ts';
import type { Queryable } from '../db/connect.ts';
import { LEASED_STATES } from './run-state.ts';
import { fitOf } from './worker-fit.ts';

/** So many of the tasks that go before it are named. */
export const NAMED = 20;

/** How many tasks go before it, in words. */
export function tasksBefore({ length }: number[]): string {
  if (length === 1) return 'a task goes before it';
  return `${length === NAMED ? `${NAMED} or more` : length} tasks go before it`;
}

interface Candidate {
  name: string;
  online: boolean;
  capacity: number;
  running: number;
  agent: boolean;
  isolation: boolean;
  trust: boolean;
  project: boolean;
  /** What the task asks for. */
  wanted: { agent: string; isolation: string; project: string };
}

/** What a task waits for where workers are concerned; nothing when one may take it now. */
export async function explainWorkers(
  db: Queryable,
  task: number,
  before: number[],
  { timeZone }: Books,
): Promise<Wait[]> {
  const workers = await candidates(db, task);
  const online = workers.filter((worker) => worker.online);
  if (online.length === 0)
    return [
      noWorker(
        'No worker is online.',
        'Start one: `autocode worker start`, or worker.local in the configuration.',
      ),
    ];
  const unfit = unfitness(online);
  if (unfit !== undefined) return [unfit];
  const able = online.filter(isAble);
  const owners = able.map(({ name }) => ({ scope: 'worker' as const, subject: name }));
  const broke = new Set((await usedUp(db, owners, timeZone)).map(({ subject }) => subject));
  const paid = able.filter(({ name }) => !broke.has(name));
  if (paid.length === 0)
    return [
      noWorker(
        `The budgets of ${namesOf(able)} are used up.`,
        'See `autocode budget list`; set larger ones, or wait for the next period.',
      ),
    ];
  if (paid.some(({ capacity, running }) => running < capacity)) return [];
  const full = paid.map(({ name, capacity, running }) => `${name} (${running} of ${capacity} runs)`);
  const queue = before.length === 0 ? 'it is the next' : tasksBefore(before);
  return [
    {
      for: 'room',
      why: `All workers that may take it are full: ${full.join(', ')}; ${queue}.`,
      remedy: 'It begins when a run ends. More runs at a time: worker.concurrency, or another worker.',
      tasks: before,
    },
  ];
}

async function candidates(db: Queryable, task: number): Promise<Candidate[]> {
  const conditions = Object.entries(
    fitOf({
      agents: `array(select each ->> 'name' from jsonb_array_elements(w.agents) each)`,
      isolations: 'array(select jsonb_array_elements_text(w.isolations))',
      project: 'w.project',
    }),
  );
  const { rows } = await db.query<Candidate>(
    `select w.name, w.state = 'online' as online, w.capacity,
       (select count(*) from run where worker = w.name and state = any($2)) as running,
       ${conditions.map(([name, condition]) => `${condition} as ${name}`).join(', ')},
       jsonb_build_object('agent', t.agent, 'isolation', p.isolation, 'project', p.name) as wanted
     from task t join project p on p.id = t.project cross join worker w where t.id = $1 order by w.name`,
    [task, LEASED_STATES],
  );
  return rows;
}

const isAble = (worker: Candidate) => worker.agent && worker.isolation && worker.trust && worker.project;

/** Why none of them may take it: the first thing that none of those that are left has. */
function unfitness(online: Candidate[]): Wait | undefined {
  const { agent, isolation, project } = online[0]!.wanted;
  const asked: [keyof Candidate & ('agent' | 'isolation' | 'trust' | 'project'), string, string][] = [
    [
      'project',
      `${namesOf(online)} may work for other projects only.`,
      `Start a worker for project ${project}, or one for all.`,
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
