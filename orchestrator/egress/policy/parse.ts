// The language of the egress policy: a rule or a preset a line, everything behind a # a comment. All mistakes of a text are told at
// once, each with line, column and remedy. Used wherever a policy is set, and for the presets.
import { AutocodeError } from '../../../protocol/errors.ts';
import { LONGEST_POLICY, type PolicyProblem } from '../../../protocol/egress.ts';
import { readRule, type Complain, type Word } from './read-rule.ts';
import type { Rule } from './rule.ts';

const MOST_RULES = 5_000;
const LONGEST_LINE = 1_000;
const MOST_PROBLEMS = 100;
const CONTROL = /[\0-\x08\x0b-\x1f\x7f-\x9f]/;

/** Rules by the name of their preset. */
export type Presets = ReadonlyMap<string, Rule[]>;

/** A line that says something: its rules are those of a preset, or the one that stands there. */
export interface Statement {
  line: number;
  rules: Rule[];
}

/** Reads a text; of `presets` it may name those. */
export function parsePolicy(
  text: string,
  presets: Presets,
): { statements: Statement[]; problems: PolicyProblem[] } {
  const statements: Statement[] = [];
  const problems: PolicyProblem[] = [];
  if (text.length > LONGEST_POLICY) {
    problems.push(problem(1, 1, `The text has more than ${LONGEST_POLICY} characters.`, 'Use wildcards.'));
    return { statements, problems };
  }
  let count = 0;
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    if (problems.length >= MOST_PROBLEMS) break;
    const line = index + 1;
    const complain = (column: number, message: string, remedy: string) =>
      void problems.push(problem(line, column, message, remedy));
    if (content.length > LONGEST_LINE) {
      complain(
        LONGEST_LINE + 1,
        `The line has more than ${LONGEST_LINE} characters.`,
        'Shorten the path by **.',
      );
      continue;
    }
    const control = content.search(CONTROL);
    if (control >= 0) {
      complain(control + 1, 'The line has a control character.', 'Leave it out.');
      continue;
    }
    const rules = readLine(content, presets, complain);
    if (rules === undefined) continue;
    count += rules.length;
    if (count > MOST_RULES) {
      complain(1, `From here on there are more than ${MOST_RULES} rules.`, 'Use wildcards.');
      break;
    }
    statements.push({ line, rules });
  }
  const inOrder = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return { statements, problems: inOrder };
}

function readLine(content: string, presets: Presets, complain: Complain): Rule[] | undefined {
  const said = content.replace(/(^|\s)#.*$/, '$1');
  const [first, ...words] = [...said.matchAll(/\S+/g)].map((found): Word => ({
    text: found[0],
    column: found.index + 1,
  }));
  if (first === undefined) return undefined;
  if (first.text === 'allow' || first.text === 'deny' || first.text === 'pass') {
    const rule = readRule(first.text, words, said.trimEnd().length + 1, complain);
    return rule && [rule];
  }
  if (first.text !== 'preset') {
    complain(first.column, `"${first.text}" begins no rule.`, 'Begin with allow, deny, pass or preset.');
    return undefined;
  }
  const [name, more] = words;
  const known = `Presets are ${[...presets.keys()].join(', ')}.`;
  if (name === undefined) return complain(said.trimEnd().length + 1, 'No preset is named.', known);
  if (more !== undefined)
    return complain(
      more.column,
      'A preset stands alone on its line.',
      'Write what follows on a line of its own.',
    );
  const rules = presets.get(name.text);
  if (rules === undefined) complain(name.column, `There is no preset "${name.text}".`, known);
  return rules;
}

function problem(line: number, column: number, message: string, remedy: string): PolicyProblem {
  return { line, column, message, remedy };
}

/** All rules of a text; ERR_INVALID_INPUT with everything that is wrong with it. */
export function requireRules(text: string, presets: Presets): Rule[] {
  const { statements, problems } = parsePolicy(text, presets);
  if (problems.length === 0) return statements.flatMap(({ rules }) => rules);
  throw invalidPolicy(problems);
}

/** The error for a text with these mistakes. */
export function invalidPolicy(problems: PolicyProblem[]): AutocodeError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return new AutocodeError(
    'ERR_INVALID_INPUT',
    `The policy is not valid, the one before stays: line ${first?.line}, column ${first?.column}: ${first?.message}${more}`,
    { remedy: first?.remedy ?? '', details: { problems } },
  );
}
