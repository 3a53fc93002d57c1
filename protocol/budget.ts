// Budgets, prices, usage and the ledger. Money is in millionths of the ledger currency, GPU time in milliseconds.
import { z } from 'zod';
import { Timestamp } from './ids.ts';
import { text } from './text.ts';

export const SCOPES = ['appliance', 'project', 'worker', 'agent', 'person', 'task', 'run'] as const;
export const BudgetScope = z.enum(SCOPES).meta({ id: 'BudgetScope' });
export type BudgetScope = z.infer<typeof BudgetScope>;

export const PERIODS = ['day', 'week', 'month', 'total'] as const;
export const BudgetPeriod = z.enum(PERIODS).meta({
  id: 'BudgetPeriod',
  description: 'Days begin at midnight of the configured time zone, weeks on Monday.',
});
export type BudgetPeriod = z.infer<typeof BudgetPeriod>;

export const UNITS = ['money', 'tokens', 'gpu'] as const;
export const BudgetUnit = z.enum(UNITS).meta({
  id: 'BudgetUnit',
  description: 'money: millionths of the ledger currency; tokens: in and out; gpu: milliseconds of GPU time.',
});
export type BudgetUnit = z.infer<typeof BudgetUnit>;

/** Amounts that numbers hold exactly. */
const Amount = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

export const BudgetInput = z
  .strictObject({
    scope: BudgetScope,
    subject: text().max(200).default('').meta({
      description:
        'Whose: a name, a task, a run; `*` for each that has none of its own; empty for the appliance.',
    }),
    period: BudgetPeriod,
    unit: BudgetUnit.default('money'),
    amount: Amount,
  })
  .refine(({ scope, subject }) => (scope === 'appliance') === (subject === ''), {
    path: ['subject'],
    error: 'must be named, or `*`, for every scope but the appliance, which has none',
  })
  .meta({ id: 'BudgetInput' });
export type BudgetInput = z.infer<typeof BudgetInput>;

export const Budget = z
  .object({
    id: z.int(),
    scope: BudgetScope,
    subject: z.string(),
    period: BudgetPeriod,
    unit: BudgetUnit,
    amount: z.int(),
    since: z.string().nullable().meta({ description: 'First day of the period; null for all time.' }),
    spent: z
      .int()
      .meta({ description: 'In the period; of `*`, what the subject that has spent the most has spent.' }),
    held: z.int().meta({ description: 'Reserved by calls under way.' }),
  })
  .meta({ id: 'Budget' });
export type Budget = z.infer<typeof Budget>;

export const BudgetDocument = z
  .strictObject({
    budgets: z.array(BudgetInput).max(10_000),
    prune: z
      .boolean()
      .default(false)
      .meta({ description: 'Removes budgets that the document does not have.' }),
    dryRun: z
      .boolean()
      .default(false)
      .meta({ description: 'Answers with the difference and changes nothing.' }),
  })
  .meta({ id: 'BudgetDocument' });
export type BudgetDocument = z.infer<typeof BudgetDocument>;

const Difference = BudgetInput.safeExtend({ before: z.int().nullable(), after: z.int().nullable() });
export const BudgetDifference = z
  .array(Difference.meta({ id: 'BudgetDifference' }))
  .meta({ description: 'One line a budget that is added, changed or removed.' });
export type BudgetDifference = z.infer<typeof BudgetDifference>;
