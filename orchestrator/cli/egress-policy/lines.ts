// The text of a policy, with rules added or removed; comments and all other lines stay. Used by change.ts and learn.ts.
import { AutocodeError } from '../../../protocol/errors.ts';
import { parsePolicy, type Presets, type Statement } from '../../egress/policy/parse.ts';
import { printRule } from '../../egress/policy/rule.ts';

/** Rules as somebody gave them: `host=…` allows; all mistakes are told, each with its column. */
export function givenRules(words: string[], project: string | undefined, presets: Presets): string[] {
  const lines = words.map((word) => {
    const rule = /^(?:allow|deny|preset)\s/.test(word) ? word : `allow ${word}`;
    return project === undefined ? rule : rule.replace(` project=${project}`, '');
  });
  const { problems } = parsePolicy(lines.join('\n'), presets);
  if (problems.length === 0) return lines;
  const told = problems.map(
    ({ line, column, message, remedy }) =>
      `  ${lines[line - 1]}\n  ${' '.repeat(column - 1)}^ ${message} ${remedy}`,
  );
  throw new AutocodeError('ERR_INVALID_INPUT', `nothing was changed.\n${told.join('\n')}`, {
    remedy: "Quote each rule: 'method=GET host=example.com path=/v1/**'.",
    details: { problems },
  });
}

/** The text with these lines at its end; those that it has already are left out. */
export function addLines(text: string, lines: string[], presets: Presets): string {
  const there = new Set(parsePolicy(text, presets).statements.map(meaning));
  const added = lines.filter((line) => !there.has(meaningOf(line, presets)));
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return added.length === 0 ? text : `${before}${added.join('\n')}\n`;
}

/** The text without the lines that say the same as these; ERR_NOT_FOUND names one that is not there. */
export function removeLines(text: string, lines: string[], presets: Presets): string {
  const { statements } = parsePolicy(text, presets);
  const gone = new Set<number>();
  for (const line of lines) {
    const found = statements.filter((statement) => meaning(statement) === meaningOf(line, presets));
    if (found.length === 0)
      throw new AutocodeError('ERR_NOT_FOUND', `The policy has no line that says "${line}".`, {
        remedy: 'See `autocode egress policy show`; a rule of a preset goes with its preset.',
      });
    for (const statement of found) gone.add(statement.line);
  }
  return text
    .split('\n')
    .filter((_, index) => !gone.has(index + 1))
    .join('\n');
}

function meaningOf(line: string, presets: Presets): string {
  return parsePolicy(line, presets).statements.map(meaning).join('\n');
}

function meaning({ rules }: Statement): string {
  return rules.map(printRule).join('\n');
}
