// `autocode run show`, and the tables of plan and checks that the demo shows too.
import { z } from 'zod';
import { RunBudget } from '../../../protocol/budget.ts';
import { Run, type Check, type Plan, type Usage } from '../../../protocol/run.ts';
import type { Finding } from '../../../protocol/submission.ts';
import { Refusal, TrafficReport } from '../../../protocol/traffic.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { bytes, count, duration, money, printable, relativeTime, shortCommit } from '../format.ts';
import { drawReport } from '../incident/report.ts';
import { amountText, ownerText } from '../money/amount.ts';
import { block, paint, print, printJson, table } from '../output.ts';
import { checkWord, styleOf } from '../states.ts';
import { sandboxText } from './sandbox.ts';
import { tookMs } from './table.ts';

/** Shows a run: state, plan, checks, usage, logs; with --json the run with `budget`, `refusals` and `traffic` added. */
export async function showRun(args: GlobalArgs & { run: string }): Promise<void> {
  const client = connect(args);
  const route = `/runs/${encodeURIComponent(args.run)}`;
  const run = await client.get(route, Run);
  const budget = await client.get(`${route}/budget`, RunBudget);
  const refusals = await client.get(`${route}/refusals`, z.array(Refusal));
  const { groups } = await client.get(
    `/traffic/report?by=run&run=${encodeURIComponent(run.id)}&since=${run.createdAt}`,
    TrafficReport,
  );
  const traffic = groups[0] ?? null;
  if (args.json) return printJson({ ...run, budget, refusals, traffic });
  print(paint('bold', `Run ${run.id}`), '', drawRun(run, budget, traffic));
  if (run.plan !== null) print('', drawPlan(run.plan));
  if (run.checks.length > 0) print('', drawChecks(run.checks));
  if (run.report !== null) print('', paint('bold', 'Report'), '', drawReport(run.report));
  if (run.findings.length > 0) print('', drawFindings(run.findings));
  if (refusals.length > 0) print('', drawRefusals(refusals));
}

type Traffic = TrafficReport['groups'][number] | null;

function drawRun(run: Run, { spent, budgets, currency }: RunBudget, traffic: Traffic): string {
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
    [
      'environment',
      run.environment === null ? null : `${run.environment.name} (${run.environment.digest.slice(0, 12)})`,
    ],
    ['model', run.model],
    ['usage', drawUsage({ ...run.usage, costMicros: spent.money }, currency)],
    ['', agentSays(run)],
    ['budgets', run.finishedAt === null ? drawLeft(budgets, currency) : null],
    [
      'traffic',
      traffic === null
        ? null
        : `${count(traffic.requests)} requests, ${bytes(traffic.bytesOut)} out, ${bytes(traffic.bytesIn)} in`,
    ],
    ['worker', run.worker],
    ['sandbox', sandboxText(run)],
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

/** What the agent counts itself, and by how much that differs from what was metered. */
function agentSays({ usage, agentTokens }: Run): string | null {
  if (agentTokens === null) return null;
  const { inputTokens, outputTokens } = agentTokens;
  const metered = usage.inputTokens + usage.outputTokens;
  const percent = (100 * (inputTokens + outputTokens - metered)) / metered;
  const apart = metered === 0 ? '' : ` (${percent > 0 ? '+' : ''}${percent.toFixed(1)} %)`;
  return `the agent says ${count(inputTokens)} tokens in, ${count(outputTokens)} out${apart}`;
}

function drawLeft(budgets: RunBudget['budgets'], currency: string): string {
  return budgets
    .map((each) => `${ownerText(each)}: ${amountText(each.unit, Math.max(0, each.left), currency)} left`)
    .join('\n');
}

/** Calls, tokens and cost in one line. */
export function drawUsage(usage: Usage, currency: string): string {
  const cached = usage.cachedTokens === 0 ? '' : ` (${count(usage.cachedTokens)} cached)`;
  return `${usage.calls} calls, ${count(usage.inputTokens)} tokens in${cached}, ${count(usage.outputTokens)} out, ${money(usage.costMicros, currency)}`;
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

function drawRefusals(refusals: Refusal[]): string {
  return table(refusals, [
    { title: 'NOT ALLOWED', value: ({ method, url }) => printable(`${method} ${url}`) },
    { title: 'TIMES', value: ({ times }) => String(times), align: 'right' },
    { title: 'DURING', value: ({ during }) => printable(during ?? '-') },
    {
      title: 'ALLOWED BY',
      value: ({ allowedBy, misused }) =>
        misused === null ? printable(allowedBy ?? '-') : `nothing: misuse of ${misused || 'a placeholder'}`,
    },
  ]);
}
