// Prices of models by date: a new one holds from its time on and never changes what was charged before. Used by the gateway
// for each call, and by the API.
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { Price } from '../../protocol/model.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';

export interface PriceInput {
  /** As `engine/model`. */
  model: string;
  price: Price;
  /** When it begins to hold; now when left out. */
  validFrom?: Date | undefined;
  /** Where it is from, as `set by hand` or the name of a table and its date. */
  source: string;
}

export interface DatedPrice extends PriceInput {
  id: number;
  validFrom: Date;
  createdBy: string;
  /** Whether it is the one that holds now. */
  current: boolean;
}

const KEPT_MS = 2_000;

/** Adds a price. One that would begin in the past is refused: calls were charged at what held then. */
export async function setPrice(
  db: Queryable,
  { model, price, validFrom, source }: PriceInput,
  actor: string,
): Promise<void> {
  const { rowCount } = await db.query(
    `insert into price (model, valid_from, price, source, created_by)
     select $1, coalesce($2, now()), $3, $4, $5 where $2::timestamptz is null or $2 >= now()`,
    [model, validFrom ?? null, JSON.stringify(price), source, actor],
  );
  if (rowCount === 0) {
    throw new AutocodeError('ERR_INVALID_INPUT', `A price of ${model} cannot begin in the past.`, {
      remedy:
        'Leave the date out, or give one to come; correct what was charged with `autocode ledger add adjustment`.',
    });
  }
  await emit(db, { kind: 'price.set', data: { model, price, validFrom: validFrom ?? null, source, actor } });
}

/** All prices, by model, the newest first. */
export async function listPrices(db: Queryable, model?: string): Promise<DatedPrice[]> {
  const { rows } = await db.query<DatedPrice>(
    `select id, model, price, valid_from as "validFrom", source, created_by as "createdBy",
       coalesce(id = (select p.id from price p where p.model = price.model and p.valid_from <= now()
         order by p.valid_from desc, p.id desc limit 1), false) as current
     from price where $1::text is null or model = $1 order by model, valid_from desc, id desc`,
    [model ?? null],
  );
  return rows;
}

/** Looks prices up for calls; what was looked up is believed for two seconds. Undefined: none was set. */
export function priceBook(db: Queryable): (model: string) => Promise<Price | undefined> {
  let kept: { until: number; prices: Promise<Map<string, Price>> } | undefined;
  return async (model) => {
    if (kept === undefined || kept.until < performance.now()) {
      const prices = currentPrices(db);
      kept = { until: performance.now() + KEPT_MS, prices };
      prices.catch(() => (kept = undefined));
    }
    return (await kept.prices).get(model);
  };
}

async function currentPrices(db: Queryable): Promise<Map<string, Price>> {
  const { rows } = await db.query({
    name: 'current-prices',
    text: `select distinct on (model) model, price from price where valid_from <= now() order by model, valid_from desc, id desc`,
  });
  return new Map(
    z
      .array(z.object({ model: z.string(), price: Price }))
      .parse(rows)
      .map((row) => [row.model, row.price]),
  );
}
