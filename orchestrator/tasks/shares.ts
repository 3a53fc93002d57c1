// Whose turn it is when tasks of several classes wait: each class has a share of the runs that begin, by its weight, and what one does
// not need is the others'. So a storm of alarms keeps no ticket from beginning, nor tickets an incident. Used by the claim.
// Start-time fair queueing: a class stands where its last contested run left it, and never behind the one that began last.
import type { TaskClass } from '../../protocol/order-of-work.ts';
import type { Queryable } from '../db/connect.ts';

export type Shares = Readonly<Record<TaskClass, number>>;

const STANDING = 'greatest(s.served, (select max(began) from class_share))';

/** The classes that have queued tasks, the one whose turn it is first. */
export async function classesInTurn(tx: Queryable): Promise<TaskClass[]> {
  const { rows } = await tx.query<{ class: TaskClass }>({
    name: 'classes-in-turn',
    text: `select s.class from class_share s
      cross join lateral (select order_key, id from task where state = 'queued' and class = s.class order by order_key, id limit 1) head
      order by ${STANDING}, head.order_key, head.id`,
  });
  return rows.map((row) => row.class);
}

/** Moves a class on whose run begins while others wait. */
export async function noteTurn(tx: Queryable, taken: TaskClass, shares: Shares): Promise<void> {
  await tx.query({
    name: 'note-turn',
    text: `update class_share s set began = ${STANDING}, served = ${STANDING} + 1 / $2::float8 where s.class = $1`,
    values: [taken, shares[taken]],
  });
}
