// What a call has cost, written down in all places at once: accounts, slab, ledger, usage by day. Used by the writer and the sweep.
import { SCOPES } from '../../protocol/budget.ts';
import type { Queryable } from '../db/connect.ts';
import type { Amounts } from './amounts.ts';
import { plus } from './amounts.ts';
import { append } from './ledger.ts';
import type { Payers } from './payers.ts';

export interface Charge {
  /** The request's; a repeated charge is the caller's to leave out. */
  id: string;
  kind: 'usage' | 'swept';
  /** The slab that it draws on; null for what comes from none or from one that is closed. */
  slab: string | null;
  payers: Payers;
  engine: string;
  /** As `engine/model`. */
  model: string;
  cause: 'agent' | 'retry' | 'platform';
  tokens: { input: number; cached: number; output: number; reasoning: number };
  /** Millionths of the ledger currency, and milliseconds of GPU time. */
  money: number;
  gpu: number;
}

export interface Books {
  timeZone: string;
  currency: string;
}

/** Writes charges down, in a transaction. What a slab held for them is held no more. */
export async function writeCharges(tx: Queryable, charges: Charge[], books: Books): Promise<void> {
  if (charges.length === 0) return;
  const spent = groupSums(
    charges,
    ({ payers }) =>
      SCOPES.filter((scope) => payers[scope] !== undefined).map((scope) => [scope, payers[scope]!]),
    amountsOf,
  );
  const drawing = charges.filter(({ slab }) => slab !== null);
  const drawn = groupSums(drawing, ({ slab }) => [['', slab!]], amountsOf);
  await account(tx, { spent, drawn, usage: usageOf(charges) }, books);
  await append(tx, charges.filter(({ money }) => money > 0).map(entryOf), books.currency);
}

function amountsOf({ tokens, money, gpu }: Charge): Amounts {
  return { money, tokens: tokens.input + tokens.output, gpu };
}

type Sums = { key: [scope: string, subject: string]; sum: Amounts }[];

function groupSums<T>(
  items: T[],
  keysOf: (item: T) => [string, string][],
  amounts: (item: T) => Amounts,
): Sums {
  const sums = new Map<string, Sums[number]>();
  for (const item of items) {
    for (const key of keysOf(item)) {
      const id = key.join('\0');
      const before = sums.get(id);
      sums.set(id, { key, sum: before === undefined ? amounts(item) : plus(before.sum, amounts(item)) });
    }
  }
  return [...sums.values()];
}

const columns = (sums: Sums) => [
  sums.map(({ key }) => key[0]),
  sums.map(({ key }) => key[1]),
  sums.map(({ sum }) => sum.money),
  sums.map(({ sum }) => sum.tokens),
  sums.map(({ sum }) => sum.gpu),
];

/** Takes what was held for these payers off their accounts, which are locked. */
export async function unhold(tx: Queryable, held: ({ payers: Payers } & Amounts)[]): Promise<void> {
  const sums = groupSums(
    held,
    ({ payers }) => Object.entries(payers),
    ({ money, tokens, gpu }) => ({ money, tokens, gpu }),
  );
  if (sums.length === 0) return;
  await tx.query({
    name: 'charge-accounts',
    text: `update account set money = account.money - h.money, tokens = account.tokens - h.tokens, gpu = account.gpu - h.gpu
      from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) as h (scope, subject, money, tokens, gpu)
      where account.scope = h.scope and account.subject = h.subject`,
    values: columns(sums),
  });
}

interface UsageRow {
  project: string;
  task: number;
  agent: string;
  model: string;
  worker: string;
  person: string;
  cause: string;
  calls: number;
  input: number;
  cached: number;
  output: number;
  reasoning: number;
  money: number;
  gpu: number;
}

function usageOf(charges: Charge[]): UsageRow[] {
  const sums = new Map<string, UsageRow>();
  for (const { payers, model, cause, tokens, money, gpu, kind } of charges) {
    const { project = '', task = 0, agent = '', worker = '', person = '' } = payers;
    const key = { project, task: Number(task), agent, model, worker, person, cause };
    const id = Object.values(key).join('\0');
    const none = { calls: 0, input: 0, cached: 0, output: 0, reasoning: 0, money: 0, gpu: 0 };
    const row = sums.get(id) ?? { ...key, ...none };
    sums.set(id, row);
    row.calls += kind === 'usage' ? 1 : 0;
    row.input += tokens.input;
    row.cached += tokens.cached;
    row.output += tokens.output;
    row.reasoning += tokens.reasoning;
    row.money += money;
    row.gpu += gpu;
  }
  return [...sums.values()];
}

/**
 * Draws on the slabs, takes that off what is held, and adds to what was spent and used today, in one statement. The
 * accounts are locked first, in order, as reservations do before any slab: all else waits for the count of them.
 * A call may cost more than was thought: then its slab is used up, and the rest was never held.
 */
async function account(
  tx: Queryable,
  { spent, drawn, usage }: { spent: Sums; drawn: Sums; usage: UsageRow[] },
  { timeZone }: Books,
): Promise<void> {
  const column = <K extends keyof UsageRow>(name: K) => usage.map((row) => row[name]);
  await tx.query({
    name: 'charge',
    text: `with payer as (select from account where (scope, subject) in (select * from unnest($2::text[], $3::text[]))
        order by scope, subject for no key update),
      locked as (select count(*) >= 0 from payer),
      drawn as (select * from unnest($7::uuid[], $8::bigint[], $9::bigint[], $10::bigint[]) as d (id, money, tokens, gpu)),
      old as (select slab.* from slab join drawn using (id) where (table locked) and slab.state = 'open'
        order by slab.id for no key update of slab),
      used as (update slab set money = greatest(0, old.money - drawn.money), tokens = greatest(0, old.tokens - drawn.tokens),
          gpu = greatest(0, old.gpu - drawn.gpu)
        from old join drawn using (id) where slab.id = old.id
        returning slab.payers, old.money - slab.money as money, old.tokens - slab.tokens as tokens, old.gpu - slab.gpu as gpu),
      held as (select key as scope, value as subject, sum(money)::bigint as money, sum(tokens)::bigint as tokens, sum(gpu)::bigint as gpu
        from used, jsonb_each_text(payers) group by 1, 2),
      unheld as (update account set money = account.money - held.money, tokens = account.tokens - held.tokens, gpu = account.gpu - held.gpu
        from held where account.scope = held.scope and account.subject = held.subject),
      days as (
        insert into account_day (scope, subject, day, money, tokens, gpu)
        select scope, subject, (now() at time zone $1)::date, money, tokens, gpu
          from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[]) as s (scope, subject, money, tokens, gpu)
          where (table locked) order by scope, subject
        on conflict (scope, subject, day) do update set money = account_day.money + excluded.money,
          tokens = account_day.tokens + excluded.tokens, gpu = account_day.gpu + excluded.gpu)
      insert into usage_day (day, project, task, agent, model, worker, person, cause,
          calls, input_tokens, cached_tokens, output_tokens, reasoning_tokens, money, gpu)
        select (now() at time zone $1)::date, u.* from unnest($11::text[], $12::bigint[], $13::text[], $14::text[], $15::text[], $16::text[],
          $17::text[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[]) as
          u (project, task, agent, model, worker, person, cause, calls, input, cached, output, reasoning, money, gpu)
        where (table locked) order by 2, 3, 4, 5, 6, 7, 8
      on conflict (day, project, task, agent, model, worker, person, cause) do update set
        calls = usage_day.calls + excluded.calls, input_tokens = usage_day.input_tokens + excluded.input_tokens,
        cached_tokens = usage_day.cached_tokens + excluded.cached_tokens, output_tokens = usage_day.output_tokens + excluded.output_tokens,
        reasoning_tokens = usage_day.reasoning_tokens + excluded.reasoning_tokens,
        money = usage_day.money + excluded.money, gpu = usage_day.gpu + excluded.gpu`,
    values: [
      timeZone,
      ...columns(spent),
      ...columns(drawn).slice(1),
      column('project'),
      column('task'),
      column('agent'),
      column('model'),
      column('worker'),
      column('person'),
      column('cause'),
      column('calls'),
      column('input'),
      column('cached'),
      column('output'),
      column('reasoning'),
      column('money'),
      column('gpu'),
    ],
  });
}

function entryOf({ id, kind, payers, engine, model, money, cause }: Charge) {
  const { project, person, appliance: _, ...others } = payers;
  const debit =
    project !== undefined ? `project:${project}` : person !== undefined ? `person:${person}` : 'appliance';
  const detail = { model, cause, ...others, ...(person === undefined ? {} : { person }) };
  return { id, kind, debit, credit: `engine:${engine}`, amount: money, detail };
}
