// Who pays for a call: the scopes that it counts in, each with its subject. Used by gateway, tasks, slabs, limits and the writer.
import { SCOPES, type BudgetScope } from '../../protocol/budget.ts';

/** Subject by scope: names, numbers of tasks, ids of runs; '' for the appliance. Scopes that do not apply are left out. */
export type Payers = { appliance: '' } & Partial<Record<Exclude<BudgetScope, 'appliance'>, string>>;

/** Who pays, of all that may; whoever is not known does not count. */
export function payersOf(
  known: Record<Exclude<BudgetScope, 'appliance'>, string | number | null | undefined>,
): Payers {
  const subjects = Object.entries(known).filter(([, subject]) => subject !== null && subject !== undefined);
  return {
    appliance: '',
    ...Object.fromEntries(subjects.map(([scope, subject]) => [scope, String(subject)])),
  };
}

/** The scopes and subjects as two arrays, in the order that everybody locks accounts in. */
export function scopesOf(payers: Payers): { scopes: BudgetScope[]; subjects: string[] } {
  const scopes = SCOPES.filter((scope) => payers[scope] !== undefined).toSorted();
  return { scopes, subjects: scopes.map((scope) => payers[scope]!) };
}
