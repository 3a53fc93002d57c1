// What a budget counts: money in millionths of the ledger currency, tokens, GPU time in milliseconds. Whole numbers.
// Used by everything in this folder.
import { UNITS, type BudgetUnit } from '../../protocol/budget.ts';

export type Amounts = Record<BudgetUnit, number>;

export const NO_AMOUNTS: Readonly<Amounts> = { money: 0, tokens: 0, gpu: 0 };

/** A number for each unit. */
export function eachUnit(amount: (unit: BudgetUnit) => number): Amounts {
  return { money: amount('money'), tokens: amount('tokens'), gpu: amount('gpu') };
}

export const plus = (a: Amounts, b: Amounts) => eachUnit((unit) => a[unit] + b[unit]);
export const minus = (a: Amounts, b: Amounts) => eachUnit((unit) => a[unit] - b[unit]);
export const least = (a: Amounts, b: Amounts) => eachUnit((unit) => Math.min(a[unit], b[unit]));

/** Whether there is enough of every unit. */
export function covers(has: Amounts, needs: Amounts): boolean {
  return UNITS.every((unit) => has[unit] >= needs[unit]);
}
