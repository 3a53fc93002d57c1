// Amounts of other currencies in the ledger's, at the configured rates. Used by the API where amounts come in.
import type { BudgetInput, PriceInput } from '../../protocol/budget.ts';
import { AutocodeError } from '../../protocol/errors.ts';

export interface Currencies {
  /** Of the ledger. */
  currency: string;
  /** What one unit of another is worth in the ledger's. */
  exchangeRates: Readonly<Record<string, number>>;
}

/** A budget in the ledger currency; ERR_INVALID_INPUT where there is no rate. Tokens and time have no currency. */
export function budgetInLedgerCurrency({ currency, ...budget }: BudgetInput, currencies: Currencies) {
  if (budget.unit !== 'money') return budget;
  return { ...budget, amount: Math.round(budget.amount * rateOf(currency, currencies)) };
}

/** A price in the ledger currency, with a word on where it is from. */
export function priceInLedgerCurrency({ currency, ...input }: PriceInput, currencies: Currencies) {
  if (currency === undefined || currency === currencies.currency) return input;
  const rate = rateOf(currency, currencies);
  const { price, source } = input;
  const converted = Object.fromEntries(
    Object.entries(price).map(([kind, value]) => [kind, Number(((value ?? 0) * rate).toFixed(9))]),
  ) as typeof price;
  return { ...input, price: converted, source: `${source}, in ${currency} at ${rate}`.slice(0, 300) };
}

function rateOf(from: string | undefined, { currency, exchangeRates }: Currencies): number {
  if (from === undefined || from === currency) return 1;
  const rate = exchangeRates[from];
  if (rate !== undefined) return rate;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `The ledger is in ${currency}, and no exchange rate of ${from} is configured.`,
    { remedy: `Set budget.exchangeRates.${from} in the configuration, or give the amount in ${currency}.` },
  );
}
