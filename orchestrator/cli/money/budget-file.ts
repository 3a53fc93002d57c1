// Budgets as a file that can be reviewed: a YAML list, several amounts a line. Used by `budget apply` and `budget export`.
import { parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { BudgetPeriod, type Budget, type BudgetInput } from '../../../protocol/budget.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { ownerText, parseGpuTime, parseMoney, parseOwner, parseTokens } from './amount.ts';

const Amount = z.union([z.string(), z.number()]).transform(String);
const Line = z.strictObject({
  for: z.string(),
  per: BudgetPeriod,
  money: Amount.optional(),
  tokens: Amount.optional(),
  gpu: Amount.optional(),
  currency: z.string().optional(),
});
const File = z.strictObject({ budgets: z.array(Line) });

const UNITS = { money: parseMoney, tokens: parseTokens, gpu: parseGpuTime } as const;

/** The budgets of a file; an error names the line. */
export function readBudgets(text: string, file: string): BudgetInput[] {
  const document = parseDocument(text);
  const [mistake] = document.errors;
  if (mistake !== undefined) throw wrong(file, mistake.message);
  const parsed = File.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (!parsed.success) throw wrong(file, z.prettifyError(parsed.error));
  return parsed.data.budgets.flatMap((line, index) => {
    try {
      return budgetsOf(line);
    } catch (error) {
      throw wrong(file, `budgets[${index}]: ${(error as Error).message}`);
    }
  });
}

function budgetsOf({ for: owner, per: period, currency, ...amounts }: z.infer<typeof Line>): BudgetInput[] {
  const whose = parseOwner(owner);
  const units = (['money', 'tokens', 'gpu'] as const).filter((unit) => amounts[unit] !== undefined);
  if (units.length === 0) throw new Error('names no amount: money, tokens or gpu.');
  return units.map((unit) => ({
    ...whose,
    period,
    unit,
    amount: UNITS[unit](amounts[unit]!),
    ...(unit === 'money' && currency !== undefined ? { currency } : {}),
  }));
}

/** The same from what there is. */
export function writeBudgets(budgets: Budget[]): string {
  const text = {
    money: (amount: number) => String(amount / 1e6),
    tokens: String,
    gpu: (amount: number) => `${amount / 1000}s`,
  };
  const lines = budgets.map((budget) => ({
    for: ownerText(budget),
    per: budget.period,
    [budget.unit]: text[budget.unit](budget.amount),
  }));
  return stringify({ budgets: lines });
}

function wrong(file: string, why: string): AutocodeError {
  return new AutocodeError('ERR_INVALID_INPUT', `${file} is no file of budgets: ${why}`, {
    remedy: 'Write it as `budgets: [{ for: project:shop, per: day, money: 25, tokens: 40M }]`.',
  });
}
