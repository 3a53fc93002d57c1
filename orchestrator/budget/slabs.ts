// Slabs in the database: what a gateway has reserved of the budgets, in one transaction over all scopes. Accounts are locked
// before slabs and in one order, so that no two transactions wait for each other. Used by the purses and the sweep.
import { UNITS, type Budget } from '../../protocol/budget.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import type { Amounts } from './amounts.ts';
import { least } from './amounts.ts';
import { unhold } from './charge.ts';
import { budgetsOf, remaining, tightest } from './limits.ts';
import { scopesOf, type Payers } from './payers.ts';

export interface Reservation {
  /** Made when there is none of this id; enlarged otherwise. */
  slab: string;
  owner: string;
  payers: Payers;
  /** What would be good to have, and what it is of no use without. */
  want: Amounts;
  least: Amounts;
  timeZone: string;
}

/** What was reserved, and the budgets as they were before; or the one that does not leave enough. `gone`: the slab was closed. */
export type Reserved = { granted: Amounts; budgets: Budget[] } | { refused: Budget } | 'gone';

/** Reserves in all scopes or in none. */
export async function reserve(db: Queryable, reservation: Reservation): Promise<Reserved> {
  return (await reserveAll(db, [reservation]))[0]!;
}

/** The same one after the other in one transaction, since each would wait for the others' accounts to be free. */
export async function reserveAll(db: Queryable, reservations: Reservation[]): Promise<Reserved[]> {
  return await withinTransaction(db, async (tx) => {
    await lockAccounts(tx, ...reservations.map(({ payers }) => payers));
    const answers: Reserved[] = [];
    for (const reservation of reservations) answers.push(await reserveLocked(tx, reservation));
    return answers;
  });
}

async function reserveLocked(tx: Queryable, reservation: Reservation): Promise<Reserved> {
  const { slab, owner, payers, timeZone } = reservation;
  const budgets = await budgetsOf(tx, payers, timeZone);
  const granted = least(reservation.want, remaining(budgets));
  const short = UNITS.find((unit) => granted[unit] < reservation.least[unit]);
  if (short !== undefined) return { refused: tightest(budgets, short)! };
  const { scopes, subjects } = scopesOf(payers);
  const { rowCount } = await tx.query({
    name: 'slab-grow',
    text: `with grown as (
        insert into slab (id, owner, payers, money, tokens, gpu) values ($1, $2, $3, $4, $5, $6)
        on conflict (id) do update set money = slab.money + excluded.money, tokens = slab.tokens + excluded.tokens,
          gpu = slab.gpu + excluded.gpu, renewed_at = now() where slab.state = 'open' returning id)
      update account set money = money + $4, tokens = tokens + $5, gpu = gpu + $6
        where (scope, subject) in (select * from unnest($7::text[], $8::text[])) and exists (select from grown)`,
    values: [
      slab,
      owner,
      JSON.stringify(payers),
      granted.money,
      granted.tokens,
      granted.gpu,
      scopes,
      subjects,
    ],
  });
  return rowCount === 0 ? 'gone' : { granted, budgets };
}

/** Gives back what is left of a slab; one that is closed already is left alone. */
export async function release(db: Queryable, slab: string, payers: Payers): Promise<void> {
  await withinTransaction(db, async (tx) => {
    await lockAccounts(tx, payers);
    const left = await closeSlab(tx, slab, 'settled');
    if (left !== undefined) await unhold(tx, [{ payers, ...left }]);
  });
}

/** Marks a slab as closed; what was left of it, or undefined when it was closed before. The accounts are the caller's to mend. */
export async function closeSlab(
  tx: Queryable,
  slab: string,
  state: 'settled' | 'swept',
): Promise<Amounts | undefined> {
  const { rows } = await tx.query<Amounts>(
    `update slab set state = $2, renewed_at = now() where id = $1 and state = 'open' returning money, tokens, gpu`,
    [slab, state],
  );
  return rows[0];
}

/** Says that the gateway which has these slabs is alive. */
export async function renewSlabs(db: Queryable, owner: string): Promise<void> {
  await db.query(`update slab set renewed_at = now() where owner = $1 and state = 'open'`, [owner]);
}

/** Makes the accounts that are missing and locks all of them until the transaction ends. */
export async function lockAccounts(tx: Queryable, ...payers: Payers[]): Promise<void> {
  const all = payers.map(scopesOf);
  const scopes = all.flatMap((each) => each.scopes);
  const subjects = all.flatMap((each) => each.subjects);
  await tx.query({
    name: 'make-accounts',
    text: `insert into account (scope, subject) select * from unnest($1::text[], $2::text[]) as payer (scope, subject)
      where not exists (select from account where account.scope = payer.scope and account.subject = payer.subject)
      order by 1, 2 on conflict do nothing`,
    values: [scopes, subjects],
  });
  await tx.query({
    name: 'lock-accounts',
    text: `select from account where (scope, subject) in (select * from unnest($1::text[], $2::text[]))
      order by scope, subject for no key update`,
    values: [scopes, subjects],
  });
}
