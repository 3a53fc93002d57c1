// `autocode budget set|list|remove|apply|export|report`, and `autocode usage`.
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import {
  BudgetDifference,
  ForecastBudget,
  UsageReport,
  type Budget,
  type BudgetInput,
  type BudgetPeriod,
  type UsageGrouping,
} from '../../../protocol/budget.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { reportText, type ReportFormat } from '../../budget/report-file.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { count, money, timestamp } from '../format.ts';
import { block, paint, print, printJson, table } from '../output.ts';
import { show } from '../redraw.ts';
import { amountText, ownerText, parseGpuTime, parseMoney, parseOwner, parseTokens } from './amount.ts';
import { readBudgets, writeBudgets } from './budget-file.ts';
import { currencyOf } from './currency.ts';

const Budgets = z.array(ForecastBudget);

interface SetArgs extends GlobalArgs {
  owner: string;
  per: BudgetPeriod;
  money: string | undefined;
  tokens: string | undefined;
  gpu: string | undefined;
  currency: string | undefined;
}

/** Sets one or more amounts of one owner and period. */
export async function setBudgets(args: SetArgs): Promise<void> {
  const whose = { ...parseOwner(args.owner), period: args.per };
  const inputs: BudgetInput[] = [
    ...(args.money === undefined
      ? []
      : [{ ...whose, unit: 'money' as const, amount: parseMoney(args.money), currency: args.currency }]),
    ...(args.tokens === undefined
      ? []
      : [{ ...whose, unit: 'tokens' as const, amount: parseTokens(args.tokens) }]),
    ...(args.gpu === undefined ? [] : [{ ...whose, unit: 'gpu' as const, amount: parseGpuTime(args.gpu) }]),
  ];
  if (inputs.length === 0)
    throw new AutocodeError('ERR_INVALID_INPUT', 'No amount was given.', {
      remedy: 'Give --money 25, --tokens 40M or --gpu 8h.',
    });
  const client = connect(args);
  await client.send('POST', '/budget-documents', BudgetDifference, { budgets: inputs });
  const budgets = (await client.get('/budgets', Budgets)).filter(
    ({ scope, subject, period }) =>
      scope === whose.scope && subject === whose.subject && period === whose.period,
  );
  if (args.json) return printJson(budgets);
  print(drawBudgets(budgets, await currencyOf(client)));
  if (whose.scope !== 'project' || whose.subject === '*') return;
  const projects = await client.get('/projects', z.array(z.object({ name: z.string() })));
  if (!projects.some(({ name }) => name === whose.subject))
    process.stderr.write(`There is no project ${whose.subject} yet; see \`autocode project list\`.\n`);
}

/** Lists budgets with what is spent of them. */
export async function listBudgets(args: GlobalArgs & { watch?: boolean }): Promise<void> {
  const client = connect(args);
  const currency = await currencyOf(client);
  await show(
    args,
    () => client.get('/budgets', Budgets),
    (budgets) => drawBudgets(budgets, currency),
  );
}

/** Shows the budgets of one owner, those for all of its kind counted in. */
export async function showBudget(args: GlobalArgs & { owner: string }): Promise<void> {
  const client = connect(args);
  const { scope, subject } = parseOwner(args.owner);
  const budgets = (await client.get('/budgets', Budgets)).filter(
    (budget) => budget.scope === scope && ['*', subject].includes(budget.subject),
  );
  if (args.json) return printJson(budgets);
  if (budgets.length === 0) return print(`There is no budget for ${args.owner}.`);
  print(drawBudgets(budgets, await currencyOf(client)));
}

/** Removes a budget by its number. */
export async function removeBudget(args: GlobalArgs & { id: number }): Promise<void> {
  const budgets = await connect(args).send('DELETE', `/budgets/${args.id}`, Budgets);
  if (args.json) return printJson(budgets);
  print(`Budget ${args.id} is gone.`);
}

interface ApplyArgs extends GlobalArgs {
  file: string;
  prune: boolean;
  dryRun: boolean;
}

/** Brings budgets to those of a file, or shows the difference. */
export async function applyBudgets(args: ApplyArgs): Promise<void> {
  const name = args.file === '-' ? 'stdin' : args.file;
  const budgets = readBudgets(read(args.file), name);
  const client = connect(args);
  const document = { budgets, prune: args.prune, dryRun: args.dryRun };
  const difference = await client.send('POST', '/budget-documents', BudgetDifference, document);
  if (args.json) return printJson(difference);
  if (difference.length === 0) return print('Nothing changes.');
  const currency = await currencyOf(client);
  const text = (unit: Budget['unit'], amount: number | null) =>
    amount === null ? 'none' : amountText(unit, amount, currency);
  const lines = difference.map(
    (each) =>
      `${mark(each)} ${ownerText(each)} ${perText(each.period)}: ${text(each.unit, each.before)} → ${text(each.unit, each.after)}`,
  );
  print(...lines, args.dryRun ? 'Nothing was changed (--dry-run).' : `${difference.length} changed.`);
}

function mark({ before, after }: { before: number | null; after: number | null }): string {
  return before === null ? '+' : after === null ? '-' : '~';
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new AutocodeError('ERR_INVALID_INPUT', `${file} cannot be read: ${(cause as Error).message}.`, {
      remedy: 'Name a file of budgets with -f; `autocode budget export` writes one.',
    });
  }
}

/** Prints the budgets as such a file. */
export async function exportBudgets(args: GlobalArgs): Promise<void> {
  const budgets = await connect(args).get('/budgets', Budgets);
  if (args.json) return printJson(budgets);
  process.stdout.write(writeBudgets(budgets.filter(({ origin }) => origin === 'set')));
}

interface ReportArgs extends GlobalArgs {
  from: string | undefined;
  to: string | undefined;
  by: UsageGrouping;
  project: string | undefined;
  format: 'table' | ReportFormat;
  output: string | undefined;
}

/** Reports usage and cost of a period. */
export async function reportUsage(args: ReportArgs): Promise<void> {
  const { from, to, by, project } = args;
  const report = await connect(args).get('/usage', UsageReport, { from, to, by, project });
  const format = args.json ? 'json' : args.format;
  const text = format === 'table' ? `${drawReport(report)}\n` : reportText(report, format);
  if (args.output === undefined) return void process.stdout.write(text);
  try {
    writeFileSync(args.output, text);
  } catch (cause) {
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `${args.output} cannot be written: ${(cause as Error).message}.`,
      {
        remedy: 'Name a file that can be written with -o, or leave it out.',
      },
    );
  }
  process.stderr.write(`Written to ${args.output}.\n`);
}

interface UsageArgs extends GlobalArgs {
  by: UsageGrouping;
  watch: boolean;
}

/** Shows what is spent today, as it goes. */
export async function showUsage(args: UsageArgs): Promise<void> {
  const client = connect(args);
  const { madeAt, timeZone } = await client.get('/usage', UsageReport, { by: 'day' });
  const today = new Intl.DateTimeFormat('sv', { timeZone }).format(new Date(madeAt));
  const query = { from: today, to: today, by: args.by };
  await show(args, async () => await client.get('/usage', UsageReport, query), drawReport);
}

function drawBudgets(budgets: ForecastBudget[], currency: string): string {
  if (budgets.length === 0)
    return 'No budgets. Set one with `autocode budget set appliance --per month --money 500`.';
  return table(budgets, [
    { title: 'ID', value: ({ id }) => String(id), align: 'right' },
    { title: 'FOR', value: ownerText },
    { title: 'PER', value: ({ period }) => perText(period) },
    { title: 'BUDGET', value: ({ unit, amount }) => amountText(unit, amount, currency), align: 'right' },
    { title: 'SPENT', value: ({ unit, spent }) => amountText(unit, spent, currency), align: 'right' },
    { title: 'HELD', value: ({ unit, held }) => amountText(unit, held, currency), align: 'right' },
    {
      title: 'USED',
      value: (budget) => `${usedPercent(budget)} %`,
      style: (budget) =>
        usedPercent(budget) >= 100 ? 'red' : usedPercent(budget) >= 80 ? 'yellow' : undefined,
      align: 'right',
    },
    { title: 'FROM', value: ({ origin }) => (origin === 'worker' ? 'its start' : 'budget set') },
    {
      title: 'AT ITS END',
      value: ({ unit, forecast }) =>
        forecast === null || forecast.atEnd === null ? '-' : amountText(unit, forecast.atEnd, currency),
      align: 'right',
    },
    {
      title: 'RUNS OUT',
      value: ({ forecast }) => (forecast?.runsOut == null ? '-' : timestamp(forecast.runsOut).slice(0, 16)),
      style: ({ forecast }) => (forecast?.runsOut == null ? undefined : 'yellow'),
    },
  ]);
}

const usedPercent = ({ spent, amount }: Budget) =>
  amount === 0 ? 100 : Math.min(999, Math.floor((100 * spent) / amount));
const perText = (period: BudgetPeriod) => (period === 'total' ? 'in total' : `a ${period}`);

function idleText({ engine, idle, money: cost }: UsageReport['idle'][number], currency: string): string {
  return `${engine}: ${amountText('gpu', idle, currency)}, ${money(cost, currency)}, in no sum here`;
}

function drawReport(report: UsageReport): string {
  const { rows, by, total, previous, forecast, merged, idle, currency, from, to } = report;
  const facts = block([
    ['period', `${from} to ${to}, days of ${report.timeZone}`],
    [
      'cost',
      `${money(total.money, currency)} (${money(previous.total.money, currency)} in the ${previous.from} to ${previous.to} before)`,
    ],
    ['forecast', forecast === null ? null : `${money(forecast, currency)} at the end of the period`],
    [
      'platform',
      total.platformMoney === 0
        ? null
        : `${money(total.platformMoney, currency)} of it was caused by the platform`,
    ],
    [
      'merged',
      merged.money === null ? null : `${merged.changes} changes, ${money(merged.money, currency)} each`,
    ],
    ['idle GPUs', idle.map((each) => idleText(each, currency)).join('\n')],
  ]);
  if (rows.length === 0) return `${facts}\n\nNothing was used.`;
  const lines = table(rows, [
    { title: by.toUpperCase(), value: ({ key }) => (key === '' ? '(none)' : key) },
    { title: 'CALLS', value: ({ calls }) => count(calls), align: 'right' },
    { title: 'IN', value: ({ inputTokens }) => count(inputTokens), align: 'right' },
    { title: 'CACHED', value: ({ cachedTokens }) => count(cachedTokens), align: 'right' },
    { title: 'OUT', value: ({ outputTokens }) => count(outputTokens), align: 'right' },
    { title: 'GPU S', value: ({ gpu }) => (gpu / 1000).toFixed(1), align: 'right' },
    { title: 'COST', value: ({ money: cost }) => money(cost, currency), align: 'right' },
  ]);
  return `${facts}\n\n${lines}\n${paint('bold', `Total ${money(total.money, currency)}, ${count(total.calls)} calls.`)}`;
}
