// Why a task has no dispatched allocation yet: the part of an explanation that is about them. Used by the API.
import type { Wait } from '../../protocol/scheduling.ts';
import type { Queryable } from '../db/connect.ts';

interface Row {
  placement: string;
  state: 'asked' | 'dispatched' | 'ended' | null;
  problem: string | null;
  dispatchedAt: Date | null;
  open: number;
}

/** Undefined when the task is not for them, or has had none although its project takes any worker. */
export async function explainDispatch(db: Queryable, task: number, max: number): Promise<Wait | undefined> {
  const { rows } = await db.query<Row>(
    `select p.placement, d.state, d.problem, d.dispatched_at as "dispatchedAt",
       (select count(*)::int from nomad_dispatch where state <> 'ended') as open
     from task t join project p on p.id = t.project
       left join lateral (select * from nomad_dispatch d where d.task = t.id and d.attempt = t.attempt + 1
         order by asked_at desc limit 1) d on true
     where t.id = $1 and p.placement in ('dispatch', 'any')`,
    [task],
  );
  const row = rows[0];
  if (row === undefined || (row.state === null && row.placement === 'any')) return undefined;
  return { for: 'worker', ...wordsOf(row, max), tasks: [] };
}

function wordsOf({ state, problem, dispatchedAt, open }: Row, max: number): Pick<Wait, 'why' | 'remedy'> {
  if (state === 'dispatched' && problem !== null) {
    return {
      why: `Nomad has no room for its allocation: ${problem}.`,
      remedy: 'It begins when something there ends, or with another Nomad client (docs/fleet.md).',
    };
  }
  if (state === 'dispatched') {
    return {
      why: `Its allocation was dispatched at ${dispatchedAt?.toISOString()}.`,
      remedy: 'It begins when the allocation has started.',
    };
  }
  if (state === null && open >= max) {
    return {
      why: `There are ${open} dispatched allocations, as many as placement.dispatch.max allows.`,
      remedy: 'One is dispatched when another ends.',
    };
  }
  if (problem === null)
    return { why: 'An allocation is to be dispatched for it.', remedy: 'That takes a moment.' };
  return state === 'asked'
    ? { why: `No allocation could be dispatched: ${problem}`, remedy: 'It is tried again by itself.' }
    : {
        why: problem,
        remedy: 'Another one is dispatched after a pause; `autocode worker logs` has its log.',
      };
}
