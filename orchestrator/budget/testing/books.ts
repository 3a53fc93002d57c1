// What the tests of budgets share: who pays, a call's charge, a budget.
import { randomUUID } from 'node:crypto';
import type { BudgetPeriod, BudgetUnit } from '../../../protocol/budget.ts';
import type { Queryable } from '../../db/connect.ts';
import type { Charge } from '../charge.ts';
import type { Payers } from '../payers.ts';

export const BOOKS = { timeZone: 'UTC', currency: 'EUR' };

/** Those who pay for a run of task 7 in project `shop`, unless told otherwise. */
export function payers(of: Partial<Payers> = {}): Payers {
  return {
    appliance: '',
    project: 'shop',
    worker: 'vm-1',
    agent: 'codex',
    person: 'ann',
    task: '7',
    run: '7-1',
    ...of,
  };
}

/** A call that cost so much. */
export function charge(of: Partial<Charge> = {}): Charge {
  return {
    id: randomUUID(),
    kind: 'usage',
    slab: null,
    payers: payers(),
    engine: 'vllm',
    model: 'vllm/qwen',
    cause: 'agent',
    tokens: { input: 100, cached: 40, output: 10, reasoning: 0 },
    money: 1_000,
    gpu: 0,
    ...of,
  };
}

/** Makes a budget as it is in the table. */
export async function budget(
  db: Queryable,
  [scope, subject]: [string, string],
  period: BudgetPeriod,
  unit: BudgetUnit,
  amount: number,
): Promise<void> {
  await db.query(
    `insert into budget (scope, subject, period, unit, amount, created_by) values ($1, $2, $3, $4, $5, 'ann')`,
    [scope, subject, period, unit, amount],
  );
}
