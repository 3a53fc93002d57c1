// The submission checks of a project, as options of `project add` and `project set` and as lines of `project show`.
import { AutocodeError } from '../../../protocol/errors.ts';
import { DEFAULT_LEVELS, RULE_LEVELS, SUBMISSION_RULES } from '../../../protocol/submission.ts';
import type { SubmissionChecks, SubmissionRule } from '../../../protocol/submission.ts';

export interface CheckArgs {
  check: string[] | undefined;
  allow: string[] | undefined;
}

/** `--check rule=level` and `--allow rule=pattern`: levels are set, patterns join those of `now`; `rule=` empties a list. */
export function checksOf({ check, allow }: CheckArgs, now?: SubmissionChecks): SubmissionChecks | undefined {
  if (check === undefined && allow === undefined) return undefined;
  const checks: SubmissionChecks = { rules: {}, allow: {} };
  for (const [rule, level] of (check ?? []).map((text) => parsed('--check', text))) {
    const known = RULE_LEVELS.find((each) => each === level);
    if (known === undefined)
      throw wrong(
        `--check ${rule}=${level}: there is no level ${level}.`,
        `Levels are ${RULE_LEVELS.join(', ')}.`,
      );
    checks.rules[rule] = known;
  }
  for (const [rule, pattern] of (allow ?? []).map((text) => parsed('--allow', text))) {
    const patterns = checks.allow[rule] ?? now?.allow[rule] ?? [];
    checks.allow[rule] = pattern === '' ? [] : [...new Set([...patterns, pattern])];
  }
  return checks;
}

function parsed(option: string, text: string): [SubmissionRule, string] {
  const [, name = text, value] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  const rule = SUBMISSION_RULES.find((each) => each === name);
  if (rule === undefined)
    throw wrong(`${option} ${text}: there is no rule ${name}.`, `Rules are ${SUBMISSION_RULES.join(', ')}.`);
  if (value === undefined) throw wrong(`${option} ${text} has no value.`, `Write it as ${option} ${rule}=…`);
  return [rule, value];
}

function wrong(message: string, remedy: string): AutocodeError {
  return new AutocodeError('ERR_INVALID_INPUT', message, { remedy });
}

/** The rules by what they do, and the paths they let pass. */
export function drawChecksSetting({ rules, allow }: SubmissionChecks): string {
  const levels = { ...DEFAULT_LEVELS, ...rules };
  const byLevel = RULE_LEVELS.map(
    (level) => [level, SUBMISSION_RULES.filter((rule) => levels[rule] === level)] as const,
  );
  const allowed = Object.entries(allow).filter(([, patterns]) => patterns.length > 0);
  return [
    ...byLevel
      .filter(([, names]) => names.length > 0)
      .map(([level, names]) => `${level}: ${names.join(', ')}`),
    ...allowed.map(([rule, patterns]) => `${rule} allows ${patterns.join(', ')}`),
  ].join('\n');
}
