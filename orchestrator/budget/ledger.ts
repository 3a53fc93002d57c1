// The journal of money: double entry, chained by hashes, append only. Used by the writer of charges, the sweep, purchases and
// adjustments, `ledger verify` and the daily export.
import { createHash } from 'node:crypto';
import type { LedgerEntry } from '../../protocol/budget.ts';
import type { Queryable } from '../db/connect.ts';

export interface EntryInput {
  /** A repeated entry is no second one: the id of the call, or one made for the purpose. */
  id: string;
  kind: LedgerEntry['kind'];
  /** The account that pays and the one that is paid, as `project:shop` and `engine:vllm`. */
  debit: string;
  credit: string;
  /** Millionths of the ledger currency, above 0. */
  amount: number;
  detail: Record<string, unknown>;
}

export interface Entry extends Omit<EntryInput, 'detail'> {
  seq: number;
  at: Date;
  currency: string;
  /** JSON text, as it was hashed. */
  detail: string;
  /** In hex. */
  hash: string;
}

/** Appends entries, in one chain with all before them; those whose id is there already are passed over. In a transaction. */
export async function append(tx: Queryable, inputs: EntryInput[], currency: string): Promise<void> {
  if (inputs.length === 0) return;
  const { rows } = await tx.query<{ seq: number; hash: Buffer; at: Date }>({
    name: 'ledger-head',
    text: `select seq, hash, date_trunc('milliseconds', clock_timestamp()) as at from ledger_head for update`,
  });
  const known = await tx.query<{ id: string }>({
    name: 'ledger-known',
    text: 'select id from ledger_entry where id = any($1)',
    values: [inputs.map(({ id }) => id)],
  });
  const there = new Set(known.rows.map(({ id }) => id));
  const fresh = inputs.filter(({ id }) => !there.has(id));
  if (fresh.length === 0) return;
  const { at } = rows[0]!;
  let { seq, hash } = rows[0]!;
  const entries = fresh.map((input) => {
    const entry = { ...input, seq: ++seq, at, currency, detail: JSON.stringify(input.detail) };
    hash = hashOf(entry, hash);
    return { ...entry, hash };
  });
  const column = <K extends keyof (typeof entries)[number]>(name: K) => entries.map((entry) => entry[name]);
  await tx.query({
    name: 'ledger-append',
    text: `with head as (update ledger_head set seq = $1, hash = $2)
      insert into ledger_entry (seq, id, at, kind, debit, credit, amount, currency, detail, hash)
      select seq, id, $3, kind, debit, credit, amount, $4, detail, hash from unnest($5::bigint[], $6::uuid[], $7::text[],
        $8::text[], $9::text[], $10::bigint[], $11::json[], $12::bytea[]) as e (seq, id, kind, debit, credit, amount, detail, hash)`,
    values: [
      seq,
      hash,
      at,
      currency,
      column('seq'),
      column('id'),
      column('kind'),
      column('debit'),
      column('credit'),
      column('amount'),
      column('detail'),
      column('hash'),
    ],
  });
}

/** Hash of an entry: SHA-256 over the hash before it and the entry's text. */
export function hashOf(entry: Omit<Entry, 'hash'>, previous: Buffer): Buffer {
  const { seq, id, at, kind, debit, credit, amount, currency, detail } = entry;
  const text = JSON.stringify([seq, id, at.toISOString(), kind, debit, credit, amount, currency, detail]);
  return createHash('sha256').update(previous).update(text).digest();
}

const COLUMNS = `seq, id, at, kind, debit, credit, amount, currency, detail::text as detail, encode(hash, 'hex') as hash`;

/** The entry of an id. */
export async function entryOf(db: Queryable, id: string): Promise<Entry | undefined> {
  const { rows } = await db.query<Entry>(`select ${COLUMNS} from ledger_entry where id = $1`, [id]);
  return rows[0];
}

/** Entries after a number, in order, a page at a time. */
export async function* entriesAfter(db: Queryable, after: number, page = 5_000): AsyncIterable<Entry[]> {
  for (let seq = after; ;) {
    const { rows } = await db.query<Entry>({
      name: 'ledger-page',
      text: `select ${COLUMNS} from ledger_entry where seq > $1 order by seq limit $2`,
      values: [seq, page],
    });
    if (rows.length === 0) return;
    yield rows;
    seq = rows.at(-1)!.seq;
  }
}

/** The first thing that is wrong with the chain, or how many entries are right. */
export type Verified = { entries: number; hash: string; wrong: null } | { entries: number; wrong: string };

/** Goes through the whole chain: no entry changed, none missing, none after the head. Entries may be written meanwhile. */
export async function verifyLedger(db: Queryable): Promise<Verified> {
  const { rows } = await db.query<{ seq: number; hash: Buffer }>('select seq, hash from ledger_head');
  const head = rows[0];
  if (head === undefined) return { entries: 0, wrong: 'the head of the ledger is missing' };
  let previous: Buffer = Buffer.alloc(0);
  let entries = 0;
  for await (const page of entriesAfter(db, 0)) {
    for (const entry of page) {
      if (entry.seq > head.seq) break; // written since
      if (entry.seq !== entries + 1) return { entries, wrong: `entry ${entries + 1} is missing` };
      previous = hashOf(entry, previous);
      if (previous.toString('hex') !== entry.hash)
        return { entries, wrong: `entry ${entry.seq} (${entry.id}) is not what was written` };
      entries += 1;
    }
  }
  if (entries !== head.seq) return { entries, wrong: `entry ${entries + 1} is missing` };
  if (!previous.equals(head.hash)) return { entries, wrong: 'the head does not fit the last entry' };
  const beyond = await db.query<{ seq: number }>(
    'select seq from ledger_entry where seq > (select seq from ledger_head) limit 1',
  );
  if (beyond.rows[0] !== undefined)
    return { entries, wrong: `entry ${beyond.rows[0].seq} is after the head` };
  return { entries, hash: previous.toString('hex'), wrong: null };
}
