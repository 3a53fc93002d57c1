// Amounts of budgets and reports in words, and reports as CSV.
import type { BudgetUnit, UsageReport } from '../../../protocol/budget.ts';
import { count, money } from '../task/format.ts';

const HOUR_MS = 3_600_000;
const MICROS = 1_000_000;

/** What one of what people type is in the API's numbers: of money a millionth, of GPU time a millisecond. */
export const ONE: Record<BudgetUnit, number> = { money: MICROS, tokens: 1, gpu: HOUR_MS };

/** What people type amounts in. */
export function unitName(unit: BudgetUnit, currency: string): string {
  return { money: currency, tokens: 'tokens', gpu: 'GPU hours' }[unit];
}

/** An amount with its unit. */
export function amount(value: number, unit: BudgetUnit, currency: string): string {
  if (unit === 'tokens') return `${count(value)} tokens`;
  if (unit === 'gpu') return `${(value / HOUR_MS).toFixed(1)} GPU hours`;
  return `${money(value)} ${currency}`;
}

/** The rows of a report as CSV: money in the ledger's currency, GPU time in hours. */
export function csvOf({ by, currency, rows }: UsageReport): string {
  const heads = [
    by,
    'calls',
    'input tokens',
    'cached tokens',
    'output tokens',
    `money ${currency}`,
    'GPU hours',
  ];
  const lines = rows.map(({ key, calls, inputTokens, cachedTokens, outputTokens, money: spent, gpu }) =>
    [cell(key), calls, inputTokens, cachedTokens, outputTokens, spent / MICROS, gpu / HOUR_MS].join(','),
  );
  return `${[heads.join(','), ...lines].join('\r\n')}\r\n`;
}

/** Quoted, and no formula to a spreadsheet. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
