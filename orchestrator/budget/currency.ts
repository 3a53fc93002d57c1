// Amounts of other currencies in the ledger's, at the configured rates. Used by the API where amounts come in.
import { AutocodeError } from '../../protocol/errors.ts';

export interface Currencies {
  /** Of the ledger. */
  currency: string;
  /** What one unit of another is worth in the ledger's. */
  exchangeRates: Readonly<Record<string, number>>;
}

/** An amount in the ledger currency; ERR_INVALID_INPUT where there is no rate. */
export function inLedgerCurrency(
  amount: number,
  from: string | undefined,
  { currency, exchangeRates }: Currencies,
): number {
  if (from === undefined || from === currency) return amount;
  const rate = exchangeRates[from];
  if (rate !== undefined) return amount * rate;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `The ledger is in ${currency}, and no exchange rate of ${from} is configured.`,
    { remedy: `Set budget.exchangeRates.${from} in the configuration, or give the amount in ${currency}.` },
  );
}
