// Looks at a result before anything of it is pushed to the forge: every rule, as the project sets it. What is found is kept
// with the run; what is refused never leaves refs/runs. Used by submission, one call a try.
import { DEFAULT_LEVELS } from '../../../protocol/submission.ts';
import type { Finding, RuleLevel } from '../../../protocol/submission.ts';
import type { Queryable } from '../../db/connect.ts';
import type { Git } from '../git.ts';
import { shellQuoted } from '../working-copy.ts';
import { RULES } from './all.ts';
import { matchesAny } from './glob.ts';
import { readDiff } from './read-diff.ts';
import type { Rule, RuleFinding, RuleSettings, TreeDiff } from './rule.ts';

/** The result of a run in one repository. */
export interface CheckedResult {
  repository: string;
  mirror: string;
  base: string;
  head: string;
}

const MOST_OF_A_RULE = 20;
const REASON_MAX = 3500;

/** Checks a result and keeps the findings with the run. `refusal` says to agent and user why it is not submitted. */
export async function checkResult(
  db: Queryable,
  git: Git,
  run: string,
  parts: CheckedResult[],
  live: RuleSettings['live'] = new Map(),
): Promise<{ refusal: string | undefined; warnings: Finding[] }> {
  const { project, several, ...own } = await readSettings(db, run);
  const settings = { ...own, live };
  const findings: Finding[] = [];
  for (const { repository, mirror, base, head } of parts) {
    const diff = await readDiff(git, mirror, base, head);
    if (!several) findings.push(...(await findAll(diff, settings)));
    else {
      const found = await findAll(diff, {
        ...settings,
        targetFiles: targetsIn(repository, settings.targetFiles),
      });
      findings.push(...found.map((finding) => ({ ...finding, repository })));
    }
  }
  await db.query('update run set findings = $2 where id = $1', [run, JSON.stringify(findings)]);
  const refused = findings.filter(({ level }) => level === 'refuse');
  return {
    refusal: refused.length === 0 ? undefined : refusalText(refused, project, run),
    warnings: findings.filter(({ level }) => level === 'warn'),
  };
}

// A task in several repositories names files from the root of the work tree, where each repository is a folder.
function targetsIn(repository: string, targets: string[]): string[] {
  return targets.map((target) => {
    const path = target.replace(/^(\.?\/)+/, '');
    if (path === repository || path === '.' || path === '') return '.';
    if (path.startsWith('**')) return path;
    return path.startsWith(`${repository}/`) ? path.slice(repository.length + 1) : `../${path}`;
  });
}

type Settings = RuleSettings & { project: string; several: boolean };

async function readSettings(db: Queryable, run: string): Promise<Settings> {
  const { rows } = await db.query<Settings>(
    `select p.name as project, p.checks, t.target_files as "targetFiles",
            1 < (select count(*) from task_repository where task = t.id) as several
       from run r join task t on t.id = r.task join project p on p.id = t.project where r.id = $1`,
    [run],
  );
  return rows[0]!;
}

/** What the rules find, each on the files that the project's list for it does not let pass. */
export async function findAll(
  diff: TreeDiff,
  settings: RuleSettings,
  rules: readonly Rule[] = RULES,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const rule of rules) {
    const level = levelOf(rule, settings);
    if (level === 'off') continue;
    const allowed = settings.checks.allow[rule.name] ?? [];
    const files =
      allowed.length === 0 ? diff.files : diff.files.filter(({ path }) => !matchesAny(path, allowed));
    const found = await rule.find({ ...diff, files }, settings);
    findings.push(...shortened(found).map((each) => ({ rule: rule.name, level, ...each })));
  }
  return findings;
}

function levelOf({ name }: Rule, { checks }: RuleSettings): RuleLevel {
  return checks.rules[name] ?? DEFAULT_LEVELS[name];
}

function shortened(found: RuleFinding[]): RuleFinding[] {
  const more = found.length - MOST_OF_A_RULE;
  if (more <= 0) return found;
  return [
    ...found.slice(0, MOST_OF_A_RULE),
    { path: null, reason: `the same holds for ${more} more`, remedy: found[0]!.remedy },
  ];
}

function refusalText(refused: Finding[], project: string, run: string): string {
  const lines = refused.map(
    ({ rule, repository, path, reason, remedy }) =>
      `- ${repository === undefined ? '' : `in ${repository}, `}${path === null ? 'the change' : shownPath(path)}: ${reason} [${rule}]. What to do: ${remedy}.`,
  );
  const shown = fitting(lines, REASON_MAX);
  const left = lines.length - shown.length;
  const allow = [...new Set(refused.map(({ rule }) => rule))].map((rule) => {
    const path = refused.find((finding) => finding.rule === rule && finding.path !== null)?.path;
    return path !== undefined && path !== null && path.length <= 200
      ? `--allow ${shellQuoted(`${rule}=${path}`)}`
      : `--check ${rule}=warn`;
  });
  return [
    'The result passes the verify commands, but the submission checks refuse it; nothing was pushed to the forge.',
    ...shown,
    ...(left === 0 ? [] : [`- and ${left} more (autocode run show ${run}).`]),
    `The work is kept. To let it pass as it is: autocode project set ${project} ${allow.join(' ')}`,
  ].join('\n');
}

function fitting(lines: string[], bytes: number): string[] {
  let left = bytes;
  return lines.filter((line) => (left -= line.length + 1) >= 0);
}

// Quoted where it holds more than plain characters.
function shownPath(path: string): string {
  return /^[\w@%+=:,./ -]+$/.test(path) ? path : JSON.stringify(path);
}
