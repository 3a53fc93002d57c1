// An organisation at work without workers: tasks that run, and so many events a second of those that workers and people cause, written by
// the functions that their requests call. Used by the benchmark of open pages.
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../orchestrator/db/connect.ts';
import { TaskInput } from '../../protocol/task.ts';
import { cancelTask } from '../../orchestrator/tasks/cancel.ts';
import { createTask } from '../../orchestrator/tasks/create.ts';
import { progress } from '../../orchestrator/tasks/lease.ts';

const TICK_MS = 50;
const MOST_AT_ONCE = 10;
const MOST_WAITING = 200;

const PLACES = [
  `insert into task_repository (task, repository, position, base_branch, order_key, waiting, class)
     select task.id, repository.id, 1, 'main', task.order_key, false, 'person'
     from task join repository on repository.project = task.project`,
  `insert into run_repository (run, repository)
     select run.id, own.repository from run join task_repository own on own.task = run.task`,
];

/** Stores tasks that have ended and, in turn over the projects, tasks that are at work; gives the numbers of the latter. */
export async function fillBoard(db: Database, ended: number, running: number): Promise<number[]> {
  const insert = async (state: string, count: number) => {
    const { rows } = await db.query<{ id: number }>(
      `insert into task (project, title, body, agent, model, state, order_key, attempt, created_by, finished_at)
         select p.id, 'Task number ' || n || ' of many, with a title as long as titles are', '', 'command', '', $1,
           now() - n * interval '1 second', 1, 'bench', case when $1 = 'completed' then now() end
         from generate_series(1, $2::int) n join (select id, row_number() over (order by id) - 1 as place, count(*) over () as all from project) p
           on n % p.all = p.place returning id`,
      [state, count],
    );
    return rows.map(({ id }) => id);
  };
  await insert('completed', ended);
  const ids = await insert('running', running);
  await db.query(
    `insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline, lease_until)
       select id || '-1', id, 1, 'working', 'worker', gen_random_uuid(), 'command', '', 'bubblewrap', now() + interval '1 day',
         now() + interval '1 day' from unnest($1::bigint[]) id`,
    [ids],
  );
  for (const statement of PLACES) await db.query(statement);
  await db.query('vacuum analyze task, run');
  return ids;
}

/** Lets so many events a second happen until the signal: plans and states of runs, tasks given and cancelled. */
export async function keepBusy(
  db: Database,
  {
    running,
    projects,
    perSecond,
  }: { running: readonly number[]; projects: readonly string[]; perSecond: number },
  signal: AbortSignal,
): Promise<void> {
  const waiting: number[] = [];
  const verifying = new Set<number>();
  const began = performance.now();
  const first = await lastSerial(db);
  const happen = async (n: number) => {
    const task = running[n % running.length]!;
    if (n % 10 === 0) {
      const project = projects[Math.floor(n / 10) % projects.length]!;
      const { task: made } = await createTask(
        db,
        TaskInput.parse({ project, title: `Given meanwhile, the ${n}th` }),
        { actor: 'bench', agent: 'command', model: null },
      );
      waiting.push(made.id);
      if (waiting.length > MOST_WAITING) await cancelTask(db, waiting.shift()!, 'bench');
    } else if (n % 10 < 4) {
      const state = verifying.delete(task) ? 'working' : 'verifying';
      if (state === 'verifying') verifying.add(task);
      await progress(db, `${task}-1`, { fence: 1, state });
    } else {
      const steps = ['Read', 'Write', 'Test'].map((word, at) => ({
        title: `${word} what is asked for, part ${n}`,
        status: at < n % 3 ? ('completed' as const) : ('pending' as const),
      }));
      await progress(db, `${task}-1`, { fence: 1, plan: { summary: 'As it goes.', steps } });
    }
  };
  for (let n = 0; !signal.aborted; await delay(TICK_MS)) {
    const wanted = ((performance.now() - began) / 1000) * perSecond;
    const missing = Math.min(MOST_AT_ONCE, Math.round(wanted - ((await lastSerial(db)) - first)));
    await Promise.all(Array.from({ length: Math.max(0, missing) }, async () => await happen(n++)));
  }
}

async function lastSerial(db: Database): Promise<number> {
  const { rows } = await db.query<{ last: number }>('select coalesce(max(id), 0)::int as last from event');
  return rows[0]!.last;
}
