// How money is counted: time zone of the days, other currencies, reports that are made by themselves. Part of the schema.
import { Cron } from 'croner';
import { z } from 'zod';
import { GROUPINGS } from '../../protocol/budget.ts';
import { Name } from '../../protocol/ids.ts';

export const CurrencyCode = z.string().regex(/^[A-Z]{3}$/, 'use three capital letters, as USD');

const TimeZone = z.string().refine((timeZone) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}, 'is no time zone: use a name as Europe/Berlin, or UTC');

const CronExpression = z.string().refine((expression) => {
  try {
    return new Cron(expression, { paused: true, mode: '5-part' }).nextRun() !== null;
  } catch {
    return false;
  }
}, 'is no cron expression that comes to pass: use five fields, as `0 6 1 * *`');

export const ScheduledReport = z.strictObject({
  name: Name.describe('Its name; files are `financial/reports/<name>-<first day>.<format>`.'),
  cron: CronExpression.describe(
    'When it is made, in the time zone of the budgets: minute, hour, day, month, weekday.',
  ),
  period: z
    .enum(['day', 'week', 'month'])
    .default('month')
    .describe('The last whole one before it is made is reported.'),
  by: z.enum(GROUPINGS).default('project').describe('What usage is summed up by.'),
  format: z.enum(['html', 'csv', 'json']).default('html').describe('Format of the file.'),
  project: Name.optional().describe('Only this project.'),
});
export type ScheduledReport = z.infer<typeof ScheduledReport>;

export const BudgetSettings = z.strictObject({
  timeZone: TimeZone.default('UTC').describe(
    'Where the days, weeks and months of budgets and reports begin.',
  ),
  exchangeRates: z
    .record(CurrencyCode, z.number().positive())
    .default({})
    .describe('What one unit of other currencies is worth in the ledger currency, as `{ USD: 0.92 }`.'),
  reservationSeconds: z
    .int()
    .min(6)
    .max(3600)
    .default(30)
    .describe(
      'What a gateway that is gone had reserved for calls is charged when it was not heard of for so long.',
    ),
  reports: z
    .array(ScheduledReport)
    .refine((reports) => new Set(reports.map(({ name }) => name)).size === reports.length, 'has a name twice')
    .default([])
    .describe('Reports that are made by themselves.'),
});
