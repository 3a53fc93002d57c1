// `autocode run show`, and the tables of plan and checks that the demo shows too.
import { Run, type Check, type Plan, type Usage } from '../../../protocol/run.ts';
import type { Finding } from '../../../protocol/submission.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { bytes, count, duration, money, printable, relativeTime, shortCommit } from '../format.ts';
import { block, paint, print, printJson, table } from '../output.ts';
import { checkWord, styleOf } from '../states.ts';
import { tookMs } from './table.ts';

/** Shows a run: state, plan, checks, usage, logs. */
export async function showRun(args: GlobalArgs & { run: string }): Promise<void> {
  const run = await connect(args).get(`/runs/${encodeURIComponent(args.run)}`, Run);
  if (args.json) return printJson(run);
  print(paint('bold', `Run ${run.id}`), '', drawRun(run));
  if (run.plan !== null) print('', drawPlan(run.plan));
  if (run.checks.length > 0) print('', drawChecks(run.checks));
  if (run.findings.length > 0) print('', drawFindings(run.findings));
}

function drawRun(run: Run): string {
  const cause = run.cause === null ? '' : ` (${run.cause})`;
  return block([
    [
      'state',
      paint(styleOf(run.state), run.state) +
        cause +
        (run.reason === null ? '' : ` – ${printable(run.reason)}`),
    ],
    [
      'agent',
      `${run.agent}${run.agentVersion === null ? '' : ` ${run.agentVersion}`}, isolation ${run.isolation}`,
    ],
    ['model', run.model],
    ['usage', drawUsage(run.usage)],
    ['worker', run.worker],
    ['iterations', String(run.iterations)],
    ['commits', run.repositories.map((each) => commitsOf(each, run.repositories.length)).join('\n')],
    ['began', `${relativeTime(run.createdAt)}, took ${duration(tookMs(run))}`],
    ['deadline', run.finishedAt === null ? relativeTime(run.deadline) : null],
    ['logs', run.logs.map((log) => `${log.stream} ${bytes(log.bytes)} (${log.state})`).join(', ')],
  ]);
}

function commitsOf({ name, baseCommit, headCommit }: Run['repositories'][number], of: number): string {
  const commits = `${shortCommit(baseCommit)} → ${shortCommit(headCommit)}`;
  return of === 1 ? commits : `${name}: ${commits}`;
}

/** Calls, tokens and cost in one line. */
export function drawUsage(usage: Usage): string {
  const cached = usage.cachedTokens === 0 ? '' : ` (${count(usage.cachedTokens)} cached)`;
  return `${usage.calls} calls, ${count(usage.inputTokens)} tokens in${cached}, ${count(usage.outputTokens)} out, ${money(usage.costMicros)}`;
}

const MARKS = { pending: '·', 'in-progress': '▸', completed: '✓', failed: '✗', skipped: '-' };

/** The plan with a mark for each step. */
export function drawPlan(plan: Plan): string {
  const steps = plan.steps.map(
    (step) => `  ${paint(styleOf(step.status), MARKS[step.status])} ${printable(step.title)}`,
  );
  return [`${paint('dim', 'plan')}  ${printable(plan.summary)}`, ...steps].join('\n');
}

/** The checks, before and after. */
export function drawChecks(checks: Check[]): string {
  return table(checks, [
    { title: 'CHECK', value: (check) => check.name },
    { title: 'COMMAND', value: (check) => check.command },
    {
      title: 'BASE',
      value: (check) => checkWord(check.base),
      style: (check) => styleOf(checkWord(check.base)),
    },
    {
      title: 'HEAD',
      value: (check) => checkWord(check.head),
      style: (check) => styleOf(checkWord(check.head)),
    },
    {
      title: 'TOOK',
      value: (check) => (check.head === null ? '-' : duration(check.head.durationMs)),
      align: 'right',
    },
  ]);
}

function drawFindings(findings: Finding[]): string {
  return table(findings, [
    {
      title: 'FOUND',
      value: ({ level }) => level,
      style: ({ level }) => (level === 'refuse' ? 'red' : 'yellow'),
    },
    { title: 'RULE', value: ({ rule }) => rule },
    {
      title: 'PATH',
      value: ({ repository, path }) =>
        (repository === undefined ? '' : `${repository}: `) +
        (path === null ? 'the change' : printable(path)),
    },
    { title: 'WHY', value: ({ reason, remedy }) => printable(`${reason}; ${remedy}`) },
  ]);
}
