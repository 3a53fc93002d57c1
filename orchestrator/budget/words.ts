// Budgets and amounts in words: in refusals, warnings and reasons, for people and for models.
import type { Budget, BudgetUnit } from '../../protocol/budget.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { leftOf } from './limits.ts';

/** Money with the minor units of its currency, four decimals for what is less than one unit. */
export function moneyText(micros: number, currency: string): string {
  const value = micros / 1e6;
  const part = value !== 0 && Math.abs(value) < 1;
  return `${formatOf(currency, part).format(value)} ${currency}`;
}

/** Kept: to make one takes longer than to write thousands of amounts. */
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string, part: boolean): Intl.NumberFormat {
  const key = `${currency} ${part}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const { maximumFractionDigits: minor } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions();
  const digits = part ? 4 : minor;
  const made = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  formats.set(key, made);
  return made;
}

function amountText(unit: BudgetUnit, amount: number, currency: string): string {
  if (unit === 'money') return moneyText(amount, currency);
  if (unit === 'tokens') return `${amount.toLocaleString('en')} tokens`;
  return `${(amount / 1000).toLocaleString('en')} GPU seconds`;
}

/** `the budget of project shop (25.00 EUR a day)`. */
export function budgetText({ scope, subject, period, unit, amount }: Budget, currency: string): string {
  const whose = subject === '' ? `the ${scope}` : `${scope} ${subject}`;
  const per = period === 'total' ? 'in total' : `a ${period}`;
  return `the budget of ${whose} (${amountText(unit, amount, currency)} ${per})`;
}

/** What a call or a task is refused with where a budget does not leave enough. */
export function overBudget(budget: Budget, currency: string): AutocodeError {
  const left = Math.max(0, leftOf(budget));
  const reserved = budget.spent < budget.amount ? 'is all reserved by calls under way' : 'is used up';
  const rest = left === 0 ? reserved : `leaves only ${amountText(budget.unit, left, currency)}`;
  const when = budget.period === 'total' ? '' : `, or wait for the next ${budget.period}`;
  const text = budgetText(budget, currency);
  return new AutocodeError('ERR_BUDGET', `${text.charAt(0).toUpperCase()}${text.slice(1)} ${rest}.`, {
    remedy: `Raise it with \`autocode budget set\`${when}.`,
    details: budget,
  });
}

/** What a model is told when a budget comes to its end. */
export function budgetWarning(budget: Budget, percent: number, left: number, currency: string): string {
  return (
    `[Autocode] ${percent} % of ${budgetText(budget, currency)} is used; ${amountText(budget.unit, Math.max(0, left), currency)} are left. ` +
    'When it is used up you are stopped. Bring your work to a state that can be kept, and finish.'
  );
}
