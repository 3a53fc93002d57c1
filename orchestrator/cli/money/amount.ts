// Amounts and their owners as people write them: `25`, `2.5M`, `8h`; `project:shop`, `run:*`. Used by the verbs of money.
import { BudgetScope, type BudgetInput, type BudgetUnit } from '../../../protocol/budget.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { count, money } from '../format.ts';

/** Money in millionths: at most six decimals. */
export function parseMoney(text: string): number {
  const [, whole = '', part = ''] = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text.trim()) ?? [];
  if (whole === '') throw wrong(text, 'is no amount of money: write it as 25 or 25.50.');
  return Number(whole) * 1_000_000 + Number(part.padEnd(6, '0'));
}

const MULTIPLES: Record<string, number> = { '': 1, k: 1_000, M: 1_000_000, G: 1_000_000_000 };

/** Tokens: `900`, `250k`, `40M`, `1.5G`. */
export function parseTokens(text: string): number {
  const [, number, multiple = ''] = /^(\d{1,12}(?:\.\d{1,3})?)([kMG]?)$/.exec(text.trim()) ?? [];
  if (number === undefined) throw wrong(text, 'is no number of tokens: write it as 900, 250k or 40M.');
  return Math.round(Number(number) * MULTIPLES[multiple]!);
}

const SPANS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** GPU time in milliseconds: `90s`, `30m`, `8h`. */
export function parseGpuTime(text: string): number {
  const [, number, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)([smh])$/.exec(text.trim()) ?? [];
  if (number === undefined) throw wrong(text, 'is no GPU time: write it as 90s, 30m or 8h.');
  return Math.round(Number(number) * SPANS[unit]!);
}

/** Scope and subject: `appliance`, `project:shop`, `run:*`. */
export function parseOwner(text: string): Pick<BudgetInput, 'scope' | 'subject'> {
  const at = text.indexOf(':');
  const scope = BudgetScope.safeParse(at < 0 ? text : text.slice(0, at));
  const subject = at < 0 ? '' : text.slice(at + 1);
  if (scope.success && (scope.data === 'appliance') === (subject === ''))
    return { scope: scope.data, subject };
  const known = BudgetScope.options.filter((each) => each !== 'appliance');
  throw wrong(
    text,
    `names nobody: write appliance, or one of ${known.map((each) => `${each}:NAME`).join(', ')}; NAME may be * for each.`,
  );
}

/** `project:shop`. */
export function ownerText({ scope, subject }: Pick<BudgetInput, 'scope' | 'subject'>): string {
  return subject === '' ? scope : `${scope}:${subject}`;
}

/** An amount of a unit for people. */
export function amountText(unit: BudgetUnit, amount: number, currency: string): string {
  if (unit === 'money') return money(amount, currency);
  if (unit === 'tokens') return `${count(amount)} tokens`;
  return amount < 3_600_000
    ? `${(amount / 60_000).toFixed(1)} GPU min`
    : `${(amount / 3_600_000).toFixed(1)} GPU h`;
}

function wrong(text: string, why: string): AutocodeError {
  return new AutocodeError('ERR_INVALID_INPUT', `"${text}" ${why}`);
}
