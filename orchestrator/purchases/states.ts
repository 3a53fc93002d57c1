// proposed → rejected | sending → paid | failed | unknown, and unknown → paid | failed by a person. Money counts in budgets from the approval
// on, until it is known that it was not paid; a payment is entered in the ledger once. Used by the API and by execute.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Purchase, PurchaseProposal, PurchaseState } from '../../protocol/purchase.ts';
import { append } from '../budget/ledger.ts';
import { budgetsOf, leftOf, tightest } from '../budget/limits.ts';
import { payersOf, scopesOf, type Payers } from '../budget/payers.ts';
import { lockAccounts } from '../budget/slabs.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';

export interface Books {
  currency: string;
  timeZone: string;
}

interface Row extends Omit<Purchase, 'proposedAt' | 'decidedAt' | 'endedAt'> {
  projectId: number | null;
  proposedAt: Date;
  decidedAt: Date | null;
  endedAt: Date | null;
}

const SHOWN = `select u.id::int, u.entry, p.name as project, u.project::int as "projectId", u.url, u.content_type as "contentType", u.body,
  u.amount, u.memo, u.state, u.status, u.reason, u.proposed_by as "proposedBy", u.proposed_at as "proposedAt",
  u.decided_by as "decidedBy", u.decided_at as "decidedAt", u.ended_at as "endedAt"
  from purchase u left join project p on p.id = u.project`;

/** Notes a proposal down; nothing is paid. In a transaction. */
export async function propose(
  tx: Queryable,
  proposal: Omit<PurchaseProposal, 'project'>,
  project: number | null,
  author: string,
): Promise<Purchase> {
  const { url, contentType, body, amount, memo } = proposal;
  const { rows } = await tx.query<{ id: number }>(
    `insert into purchase (project, url, content_type, body, amount, memo, proposed_by)
     values ($1, $2, $3, $4, $5, $6, $7) returning id::int`,
    [project, url, contentType, body, amount, memo, author],
  );
  const made = (await lockPurchase(tx, rows[0]!.id))!;
  await told(tx, made, null);
  return shown(made);
}

/** Purchases in a state, or all; the newest first. */
export async function listPurchases(
  db: Queryable,
  state: PurchaseState | null,
  limit: number,
): Promise<Purchase[]> {
  const { rows } = await db.query<Row>(
    `${SHOWN} where $1::text is null or u.state = $1 order by u.id desc limit $2`,
    [state, limit],
  );
  return rows.map(shown);
}

/** One; ERR_NOT_FOUND where there is none of that number. */
export async function findPurchase(db: Queryable, id: number): Promise<Purchase> {
  const { rows } = await db.query<Row>(`${SHOWN} where u.id = $1`, [id]);
  return shown(rows[0] ?? missing(id));
}

/** A proposal is not to be paid. In a transaction. */
export async function reject(tx: Queryable, id: number, author: string): Promise<Purchase> {
  await inState(tx, id, 'proposed');
  return await become(tx, id, 'rejected', { author, over: true });
}

/** A person lets it go: from here on it counts in the budgets, and is sent once or never. In a transaction. */
export async function approve(tx: Queryable, id: number, author: string, books: Books): Promise<Purchase> {
  const purchase = await inState(tx, id, 'proposed');
  const { scopes, subjects } = scopesOf(payersFor(purchase));
  await lockAccounts(tx, payersFor(purchase));
  const budgets = await budgetsOf(tx, payersFor(purchase), books.timeZone);
  const short = tightest(budgets, 'money');
  if (short !== undefined && leftOf(short) < purchase.amount)
    throw new AutocodeError(
      'ERR_BUDGET',
      `The ${short.scope === 'appliance' ? 'budget of the appliance' : `budget of ${short.scope} ${short.subject}`} leaves ${leftOf(short)}, the purchase is ${purchase.amount} (millionths of ${books.currency}).`,
      { remedy: 'Raise it (`autocode budget set`), or reject the purchase.' },
    );
  await tx.query(
    `with counted as (update purchase set day = (now() at time zone $4)::date where id = $1 returning day)
     insert into account_day (scope, subject, day, money)
       select scope, subject, day, $5 from counted, unnest($2::text[], $3::text[]) as s (scope, subject)
     on conflict (scope, subject, day) do update set money = account_day.money + excluded.money`,
    [id, scopes, subjects, books.timeZone, purchase.amount],
  );
  return await become(tx, id, 'sending', { author });
}

/** What became of one that was sent, or was not known. In a transaction. */
export async function settle(
  tx: Queryable,
  id: number,
  from: 'sending' | 'unknown',
  outcome: {
    state: 'paid' | 'failed' | 'unknown';
    status: number | null;
    reason: string | null;
    account?: string;
  },
  books: Books,
): Promise<Purchase> {
  const purchase = await inState(tx, id, from);
  if (outcome.state === 'paid') {
    const { entry, amount, project, url, memo, decidedBy } = purchase;
    const debit = project === null ? 'appliance' : `project:${project}`;
    const detail = { purchase: id, payee: new URL(url).host, memo, by: decidedBy };
    const credit = outcome.account ?? 'payments';
    await append(tx, [{ id: entry, kind: 'purchase', debit, credit, amount, detail }], books.currency);
  }
  if (outcome.state === 'failed') {
    const { scopes, subjects } = scopesOf(payersFor(purchase));
    await lockAccounts(tx, payersFor(purchase));
    await tx.query(
      `update account_day d set money = d.money - u.amount from purchase u
       where u.id = $1 and d.day = u.day and (d.scope, d.subject) in (select * from unnest($2::text[], $3::text[]))`,
      [id, scopes, subjects],
    );
    await tx.query('update purchase set day = null where id = $1', [id]);
  }
  return await become(tx, id, outcome.state, { ...outcome, over: outcome.state !== 'unknown' });
}

/** Those that were being sent when their process ended: nobody knows, and none is sent again. In a transaction. */
export async function abandonPurchases(tx: Queryable): Promise<number> {
  const { rows } = await tx.query<{ id: number }>(
    `select id::int from purchase where state = 'sending' order by id for update`,
  );
  const reason = 'the orchestrator ended while it was being sent';
  for (const { id } of rows) await become(tx, id, 'unknown', { reason });
  return rows.length;
}

async function become(
  tx: Queryable,
  id: number,
  state: PurchaseState,
  {
    author,
    status,
    reason,
    over = false,
  }: { author?: string; status?: number | null; reason?: string | null; over?: boolean },
): Promise<Purchase> {
  const before = await lockPurchase(tx, id);
  await tx.query(
    `update purchase set state = $2, status = coalesce($3, status), reason = coalesce($4, reason), decided_by = coalesce($5, decided_by),
       decided_at = case when $5::text is null then decided_at else now() end, ended_at = case when $6 then now() end where id = $1`,
    [id, state, status ?? null, reason ?? null, author ?? null, over],
  );
  const after = (await lockPurchase(tx, id))!;
  await told(tx, after, before?.state ?? null);
  return shown(after);
}

async function inState(tx: Queryable, id: number, state: PurchaseState): Promise<Row> {
  const purchase = await lockPurchase(tx, id);
  if (purchase === undefined) return missing(id);
  if (purchase.state === state) return purchase;
  throw new AutocodeError('ERR_STATE', `Purchase ${id} is ${purchase.state}, not ${state}.`, {
    remedy: 'See `autocode purchase list`.',
  });
}

function missing(id: number): never {
  throw new AutocodeError('ERR_NOT_FOUND', `There is no purchase ${id}.`, {
    remedy: 'See `autocode purchase list`.',
  });
}

async function lockPurchase(tx: Queryable, id: number): Promise<Row | undefined> {
  const { rows } = await tx.query<Row>(`${SHOWN} where u.id = $1 for update of u`, [id]);
  return rows[0];
}

function payersFor({ project }: Row): Payers {
  return payersOf({ project, worker: null, agent: null, person: null, task: null, run: null });
}

async function told(tx: Queryable, { id, projectId, state, amount, memo, reason }: Row, from: string | null) {
  const data = { purchase: id, from, to: state, amount, memo, reason };
  await emit(tx, { kind: 'purchase.state', ...(projectId === null ? {} : { project: projectId }), data });
}

function shown({ projectId: _, ...row }: Row): Purchase {
  return {
    ...row,
    proposedAt: row.proposedAt.toISOString(),
    decidedAt: row.decidedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
  };
}
