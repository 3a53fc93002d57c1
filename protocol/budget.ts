// Budgets, prices, usage and the ledger. Money is in millionths of the ledger currency, GPU time in milliseconds.
import { z } from 'zod';
import { Timestamp } from './ids.ts';
import { Price } from './model.ts';
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

/** ISO 4217. */
const Currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be three capital letters, as USD')
  .optional()
  .meta({ description: "Of the amount, when it is not the ledger's; the configured exchange rate holds." });

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
    currency: Currency,
  })
  .refine(({ scope, subject }) => (scope === 'appliance') === (subject === ''), {
    path: ['subject'],
    error: 'must be named, or `*`, for every scope but the appliance, which has none',
  })
  .meta({ id: 'BudgetSetting' });
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
    origin: z.enum(['set', 'worker']).meta({
      description:
        'Who made it: a person with `budget set`, or a worker that was started with it. Both hold.',
    }),
  })
  .meta({ id: 'Budget' });
export type Budget = z.infer<typeof Budget>;

export const BudgetForecast = z
  .object({
    pace: z.int().meta({ description: 'What is spent a day, by the last week with today.' }),
    atEnd: z.int().nullable().meta({
      description: 'What will be spent when the period ends, at this pace; null for a budget of all time.',
    }),
    runsOut: Timestamp.nullable().meta({
      description:
        'When all is spent at this pace; null when that is after the period, or in more than a year.',
    }),
  })
  .meta({ id: 'BudgetForecast' });
export type BudgetForecast = z.infer<typeof BudgetForecast>;

export const ForecastBudget = Budget.extend({
  forecast: BudgetForecast.nullable().meta({
    description:
      'Of `*`, of the subject that runs out first, else will have spent the most. Null for runs and tasks, which end, and where nothing was spent before today.',
  }),
}).meta({ id: 'ForecastBudget' });
export type ForecastBudget = z.infer<typeof ForecastBudget>;

export const RunBudget = z
  .object({
    currency: z.string().meta({ description: 'Of the ledger.' }),
    spent: z
      .object({
        calls: z.int(),
        inputTokens: z.int(),
        cachedTokens: z.int(),
        outputTokens: z.int(),
        money: z.int(),
        tokens: z.int(),
        gpu: z.int(),
      })
      .meta({
        description:
          'From the ledger. Money, tokens and GPU time as budgets count them: what a gateway that was killed had reserved is in them.',
      }),
    budgets: z.array(
      Budget.extend({
        left: z.int().meta({ description: 'To this run: what its own calls hold is not taken off.' }),
      }),
    ),
    refused: z
      .string()
      .nullable()
      .meta({ description: 'Why the gateway has refused its last call for want of budget, if it has.' }),
    ok: z.boolean().meta({ description: 'Whether the run may go on.' }),
    reason: z.string().nullable().meta({ description: 'Why not.' }),
  })
  .meta({ id: 'RunBudget', description: 'What a run has spent, and what its budgets leave to it.' });
export type RunBudget = z.infer<typeof RunBudget>;

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

export const BudgetDifference = z
  .array(
    z
      .object({
        scope: BudgetScope,
        subject: z.string(),
        period: BudgetPeriod,
        unit: BudgetUnit,
        before: z.int().nullable(),
        after: z.int().nullable(),
      })
      .meta({ id: 'BudgetDifference' }),
  )
  .meta({ description: 'One line a budget that is added, changed or removed.' });
export type BudgetDifference = z.infer<typeof BudgetDifference>;

// --- prices ---

export const PriceInput = z
  .strictObject({
    model: text().min(1).max(200).meta({ description: 'As `engine/model`.' }),
    price: Price,
    currency: Currency,
    validFrom: Timestamp.optional().meta({ description: 'When it begins to hold; now when left out.' }),
    source: text().min(1).max(300).default('set by hand'),
  })
  .meta({ id: 'PriceSetting' });
export type PriceInput = z.infer<typeof PriceInput>;

export const DatedPrice = z
  .object({
    id: z.int(),
    model: z.string(),
    price: Price,
    validFrom: Timestamp,
    source: z.string(),
    createdBy: z.string(),
    current: z.boolean().meta({ description: 'Whether it is the one that holds now.' }),
  })
  .meta({ id: 'DatedPrice' });
export type DatedPrice = z.infer<typeof DatedPrice>;

// --- usage ---

export const GROUPINGS = ['project', 'task', 'agent', 'model', 'worker', 'person', 'day'] as const;
export const UsageGrouping = z.enum(GROUPINGS).meta({ id: 'UsageGrouping' });
export type UsageGrouping = z.infer<typeof UsageGrouping>;

const sums = {
  calls: z.int(),
  inputTokens: z.int().meta({ description: 'All input tokens, cached ones counted in.' }),
  cachedTokens: z.int(),
  outputTokens: z.int(),
  reasoningTokens: z.int(),
  money: z.int(),
  platformMoney: z.int().meta({
    description:
      'Of the money, what the platform caused: its own retries, and slabs of gateways that were killed.',
  }),
  gpu: z.int(),
};
export const UsageSums = z.object(sums).meta({ id: 'UsageSums' });
export type UsageSums = z.infer<typeof UsageSums>;
export const UsageRow = z.object({ key: z.string(), ...sums }).meta({ id: 'UsageRow' });
export type UsageRow = z.infer<typeof UsageRow>;

export const UsageReport = z
  .object({
    from: z.string(),
    to: z.string(),
    by: UsageGrouping,
    project: z.string().nullable(),
    currency: z.string(),
    timeZone: z.string(),
    madeAt: Timestamp,
    rows: z.array(UsageRow),
    days: z
      .array(z.object({ day: z.string(), money: z.int() }))
      .meta({ description: 'One a day, for the plot.' }),
    dearest: z
      .array(z.object({ key: z.string(), money: z.array(z.int()) }))
      .default([])
      .meta({ description: 'Those that cost the most, each with its money of each of these days.' }),
    total: UsageSums,
    previous: z
      .object({ from: z.string(), to: z.string(), total: UsageSums })
      .meta({ description: 'As many days before.' }),
    forecast: z.int().nullable().meta({
      description:
        'Money at the end of the period, at the rate of its days so far; null when it is over or has not begun.',
    }),
    merged: z
      .object({
        changes: z.int(),
        money: z.int().nullable(),
        over: z
          .array(z.object({ from: z.string(), changes: z.int(), money: z.int() }))
          .default([])
          .meta({
            description: 'The same of each week that has some, by its Monday; of up to 31 days by day.',
          }),
      })
      .meta({
        description: 'Changes merged in the period, and what the tasks behind them cost, each, on average.',
      }),
    idle: z
      .array(
        z.object({
          engine: z.string(),
          gpus: z.int(),
          busy: z.int().meta({ description: 'Milliseconds of GPU time that calls have used.' }),
          idle: z.int().meta({ description: 'The rest of the period so far, in the same.' }),
          money: z.int().meta({ description: 'Of the idle time, without energy.' }),
        }),
      )
      .default([])
      .meta({
        description:
          'GPUs of your own that waited: paid for, but in no sum above and in no budget. None in the report of one project.',
      }),
  })
  .meta({ id: 'UsageReport' });
export type UsageReport = z.infer<typeof UsageReport>;

// --- ledger ---

export const LedgerEntry = z
  .object({
    seq: z.int(),
    id: z.uuid(),
    at: Timestamp,
    kind: z.enum(['usage', 'swept', 'adjustment', 'refund', 'purchase']),
    debit: z.string().meta({ description: 'The account that pays, as `project:shop`.' }),
    credit: z.string().meta({ description: 'The account that is paid, as `engine:vllm`.' }),
    amount: z.int(),
    currency: z.string(),
    detail: z.string().meta({ description: 'JSON text, as it was hashed.' }),
    hash: z.string().meta({ description: 'SHA-256 over the hash before it and the entry, in hex.' }),
  })
  .meta({ id: 'LedgerEntry' });
export type LedgerEntry = z.infer<typeof LedgerEntry>;

const account = (example: string) =>
  text()
    .regex(/^[a-z]+(:\S.{0,200})?$/, `must be an account, as ${example}`)
    .max(220);

export const LedgerInput = z
  .strictObject({
    id: z.uuid().meta({ description: 'Made by the client: a repeated request is no second entry.' }),
    kind: z.enum(['adjustment', 'refund', 'purchase']),
    debit: account('project:shop'),
    credit: account('card:4242'),
    amount: Amount.min(1),
    memo: text().min(1).max(1000).meta({ description: 'Why; an invoice number, a reference.' }),
  })
  .meta({ id: 'LedgerInput' });
export type LedgerInput = z.infer<typeof LedgerInput>;

export const LedgerVerified = z
  .object({
    entries: z.int(),
    hash: z
      .string()
      .nullable()
      .meta({ description: 'Of the last entry; note it elsewhere to find a rewritten chain.' }),
    wrong: z.string().nullable(),
  })
  .meta({ id: 'LedgerVerified' });
export type LedgerVerified = z.infer<typeof LedgerVerified>;
