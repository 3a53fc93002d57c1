// Who pays for a call: the scopes that it counts in, each with its subject. Used by slabs, limits and the writer.
import { SCOPES, type BudgetScope } from '../../protocol/budget.ts';

/** Subject by scope: names, numbers of tasks, ids of runs; '' for the appliance. Scopes that do not apply are left out. */
export type Payers = { appliance: '' } & Partial<Record<Exclude<BudgetScope, 'appliance'>, string>>;

/** The scopes and subjects as two arrays, in the order that everybody locks accounts in. */
export function scopesOf(payers: Payers): { scopes: BudgetScope[]; subjects: string[] } {
  const scopes = SCOPES.filter((scope) => payers[scope] !== undefined).toSorted();
  return { scopes, subjects: scopes.map((scope) => payers[scope]!) };
}
