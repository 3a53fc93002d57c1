// What is done in a run, from the base to the report. Used by the runner; everything it touches comes as a parameter.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import type { CheckResult, Plan, PlanStep } from '../../protocol/run.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import type { CodingAgent } from '../agents/coding-agent.ts';
import { denied } from '../agents/permissions.ts';
import type { RunReport } from '../run-directory.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { removeWorkTree } from '../workspace/work-tree.ts';
import { closeInbox, converse, tellDifference } from './conversation.ts';
import { type Ending, endingOf, failingChecks, reportOf } from './ending.ts';
import { giveCaches, keepCaches, takeCaches } from './dependencies.ts';
import { fetchBase, makeTrees, lendersOf, pushAll, type Base, type Place } from './places.ts';
import { giveNotes, keepNotes, withNotes } from './notes.ts';
import { oneStepPlan, parsePlan, planAtEnd, planAtWork } from './plan.ts';
import { giveReport, takeReport, withReport } from './report.ts';
import { planUpdates, type PlanUpdates } from './plan-updates.ts';
import type { PromptContext } from './prompt.ts';
import { newPipeline, step, type Pipeline, type PipelineOptions, type SandboxName } from './run-record.ts';
import { runChecks } from './verify.ts';

const CONVENTIONS = /^(readme|agents|claude|contributing|development)(\.(md|rst|txt))?$/i;
const STOP_MS = 2_000;

/** Does the run and answers with its report. Throws `Stopped` only when there is nobody to report to. */
export async function runPipeline(options: PipelineOptions): Promise<RunReport> {
  const pipeline = newPipeline(options);
  try {
    return reportOf(pipeline, await doWork(pipeline));
  } catch (error) {
    const ending = endingOf(error);
    if (ending.outcome === 'failed')
      pipeline.log.event({ type: 'error', message: ending.reason ?? 'unknown' });
    return reportOf(pipeline, ending);
  }
}

async function doWork(pipeline: Pipeline): Promise<Ending> {
  announce(pipeline);
  const base = await step(pipeline, 'base', async () => await fetchBase(pipeline));
  announceChecks(pipeline);
  await step(
    pipeline,
    'workspace',
    async () => await makeTrees(pipeline, base, 'work', (place) => place.startCommit),
  );
  const { only } = pipeline.order.planning;
  if (!only) await step(pipeline, 'base-verify', async () => await verifyBase(pipeline, base));
  const passed = await withSandbox(
    pipeline,
    base,
    'work',
    async (sandbox) => await workUntilVerified(pipeline, sandbox),
  );
  if (only && typeof passed === 'object') return passed;
  await step(pipeline, 'push', async () => await pushAll(pipeline, base));
  if (passed !== true) return unfinished(pipeline, passed);
  if (pipeline.record.heads.size === 0) {
    if (pipeline.record.checks.every(({ base: check }) => check?.status === 'passed'))
      await keepCaches(pipeline, base.caches);
    return { outcome: 'no-change', reason: nothingChanged(pipeline) };
  }
  const verified = await step(
    pipeline,
    'final-verify',
    async () => await verifyResult(pipeline, base),
    failedChecks(pipeline),
  );
  if (!verified) {
    const reason = `The checks pass in the work tree but not in a fresh clone of the result (files that git ignores are not part of it): ${failingChecks(pipeline.record.checks)}.`;
    return { outcome: 'failed', cause: 'agent', reason };
  }
  await keepCaches(pipeline, base.caches);
  return { outcome: 'verified' };
}

/** What whoever reads the log has to know before anything else. */
function announce({ order }: Pipeline): void {
  if (order.isolation === 'directory' && !order.project.trusted) {
    throw new AutocodeError(
      'ERR_NOT_TRUSTED',
      `Project ${order.project.name} is not marked trusted, and isolation \`${order.isolation}\` is none.`,
      {
        remedy: `Trust it with \`autocode project set ${order.project.name} --trusted\`.`,
      },
    );
  }
}

function announceChecks({ order, log }: Pipeline): void {
  if (order.verify.length === 0)
    log.event({
      type: 'notice',
      text: 'NOTHING WILL BE CHECKED: the project has no verify commands, so any change counts as verified.',
    });
}

async function verifyBase(pipeline: Pipeline, base: Base): Promise<void> {
  const { record } = pipeline;
  if (record.checks.length === 0) return;
  const results = await verifyFresh(pipeline, base, 'base', (place) => place.baseCommit);
  record.checks = record.checks.map((check, index) => ({ ...check, base: results[index] ?? null }));
}

async function verifyResult(pipeline: Pipeline, base: Base): Promise<boolean> {
  const { heads } = pipeline.record;
  await pipeline.api.progress({ state: 'verifying' });
  const commitOf = ({ id, baseCommit }: Place) => heads.get(id) ?? baseCommit;
  return takeResults(pipeline, await verifyFresh(pipeline, base, 'final', commitOf));
}

// From fresh clones, with a fresh home, in a sandbox of its own: only what is in the commits counts.
async function verifyFresh(
  pipeline: Pipeline,
  base: Base,
  name: 'base' | 'final',
  commitOf: (place: Place) => string,
): Promise<CheckResult[]> {
  await makeTrees(pipeline, base, name, commitOf);
  const results = await withSandbox(
    pipeline,
    base,
    name,
    async (sandbox) => await verifyIn(pipeline, sandbox),
  );
  await takeCaches(pipeline, base.caches, name);
  await removeWorkTree(pipeline.git, pipeline.directory.sandbox(name).root);
  return results;
}

async function verifyIn({ order, log, signal }: Pipeline, sandbox: Sandbox): Promise<CheckResult[]> {
  const { verifyTimeoutSeconds: timeoutSeconds, verifyOutputBytes: outputBytes } = order.limits;
  const options = { timeoutSeconds, outputBytes, emit: log.event, signal };
  const places = new Map(order.repositories.map(({ name, path: folder }) => [name, folder]));
  return await runChecks(sandbox, order.verify, { ...options, folderOf: (name) => places.get(name)! });
}

function takeResults({ record }: Pipeline, results: CheckResult[]): boolean {
  record.checks = record.checks.map((check, index) => ({ ...check, head: results[index] ?? check.head }));
  return results.every((result) => result.status === 'passed');
}

const failedChecks = (pipeline: Pipeline) => (passed: boolean) =>
  passed ? null : failingChecks(pipeline.record.checks);

async function withSandbox<T>(
  pipeline: Pipeline,
  base: Base,
  name: SandboxName,
  use: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  await giveCaches(pipeline, base.caches, name);
  const sandbox = await pipeline.openSandbox(name, lendersOf(pipeline, base, name), base.environment);
  try {
    return await use(sandbox);
  } finally {
    await sandbox.close();
  }
}

/** The agent's part. True when all checks pass; an ending when the agent cannot go on; false when the iterations are used up. */
async function workUntilVerified(pipeline: Pipeline, sandbox: Sandbox): Promise<boolean | Ending> {
  const { api, order, record, inbox, instructions } = pipeline;
  const context: PromptContext = {
    order,
    instructions,
    workspace: sandbox.workspace,
    conventions: [],
    notes: null,
    report: null,
    messages: [],
    fresh: [],
    told: false,
  };
  const updates = planUpdates(pipeline);
  const agent = await step(pipeline, 'context', async () => {
    context.conventions = await conventionsOf(pipeline);
    context.notes = await giveNotes(pipeline, sandbox);
    context.report = await giveReport(pipeline, sandbox);
    return await startAgent(pipeline, withReport(withNotes(sandbox, context.notes), context.report), updates);
  });
  try {
    await api.progress({ state: 'working' });
    const unplanned = await step(
      pipeline,
      'plan',
      async () => await makePlan(pipeline, agent, context),
      (ending) => ending?.reason ?? null,
    );
    if (unplanned !== null) return unplanned;
    if (order.planning.only) return { outcome: 'planned' };
    for (record.iterations = 1; ; record.iterations += 1) {
      const phase = record.iterations === 1 ? 'execute' : 'adjust';
      const failure = await step(
        pipeline,
        'execute',
        async () => await execute(pipeline, agent, phase, context).finally(updates.settle),
        (ending) => ending?.reason ?? null,
      );
      if (failure !== null) return failure;
      const passed = await step(
        pipeline,
        'verify',
        async () => await verifyWork(pipeline, sandbox, context.report),
        failedChecks(pipeline),
      );
      if (passed && (await closeInbox(pipeline))) {
        await letGo(agent);
        await keepNotes(pipeline, sandbox, context.notes);
        return true;
      }
      if (!passed && record.iterations >= order.limits.maxIterations && inbox.isEmpty()) return false;
      await step(
        pipeline,
        'adjust',
        async () => await api.progress({ state: 'working', iterations: record.iterations }),
      );
    }
  } finally {
    await letGo(agent);
  }
}

async function letGo(agent: CodingAgent): Promise<void> {
  await Promise.race([agent.stop().catch(() => {}), delay(STOP_MS, undefined, { ref: false })]);
}

async function conventionsOf({ directory, order }: Pipeline): Promise<string[]> {
  const { tree } = directory.sandbox('work');
  const found = order.repositories.map(async ({ path: folder }) => {
    const names = await readdir(path.join(tree, folder));
    return names
      .filter((name) => CONVENTIONS.test(name))
      .map((name) => path.join(folder, name))
      .sort();
  });
  return (await Promise.all(found)).flat();
}

async function startAgent(
  { createAgent, order, log, toolDir, api, signal }: Pipeline,
  sandbox: Sandbox,
  updates: PlanUpdates,
): Promise<CodingAgent> {
  const agent = createAgent(order.agent.name, {
    sandbox,
    agent: order.agent,
    toolDir,
    budget: api.budget,
    permissions: order.permissions,
    plan: updates.take,
    emit: log.event,
    raw: log.raw,
    signal,
  });
  const kinds = denied(order.permissions);
  if (kinds.length > 0 && !agent.asks) throw cannotAsk(order, kinds);
  try {
    const { version } = await agent.start();
    if (version !== null) await api.progress({ agentVersion: version.slice(0, 100) });
    return agent;
  } catch (error) {
    await agent.stop().catch(() => {});
    throw error;
  }
}

/** Null when there is a plan; else how the run ends. */
async function makePlan(
  pipeline: Pipeline,
  agent: CodingAgent,
  context: PromptContext,
): Promise<Ending | null> {
  const { api, order, record, log } = pipeline;
  const { approved, only } = order.planning;
  let plan: Plan | null = approved && { ...approved, steps: approved.steps.map(toDo) };
  if (plan === null && agent.plans) {
    const answer = await converse(pipeline, agent, 'plan', context);
    if (answer.stop === 'out-of-budget') return { outcome: 'out-of-budget', reason: answer.error };
    if (answer.error !== null && answer.stop === 'failed') throw agentFailed(answer.error);
    plan = parsePlan(answer.text);
    if (plan === null)
      log.event({
        type: 'notice',
        text: 'The agent gave no plan that can be read; the task is taken as one step.',
      });
  }
  if (only && !agent.plans)
    log.event({
      type: 'notice',
      text: `The agent ${agent.name} makes no plans: what is to be approved is the task as one step.`,
    });
  record.plan = plan ?? oneStepPlan(order.task.title);
  await api.progress({ plan: record.plan });
  return null;
}

/** One working turn. Null when the agent is done with it; else how the run ends. */
async function execute(
  pipeline: Pipeline,
  agent: CodingAgent,
  phase: 'execute' | 'adjust',
  context: PromptContext,
): Promise<Ending | null> {
  const { api, record, log } = pipeline;
  if (record.plan !== null) record.plan = planAtWork(record.plan);
  await api.progress({
    iterations: record.iterations,
    ...(record.plan === null ? {} : { plan: record.plan }),
  });
  const answer = await converse(pipeline, agent, phase, context);
  await tellDifference(pipeline, agent);
  if (answer.stop === 'out-of-budget') return { outcome: 'out-of-budget', reason: answer.error };
  if (answer.stop === 'limit')
    log.event({
      type: 'notice',
      text: `The agent reached a limit of its own: ${answer.error ?? 'no reason given'}. Its work is verified as it is.`,
    });
  if (answer.stop === 'done' || answer.stop === 'limit') return null;
  return {
    outcome: 'failed',
    cause: 'agent',
    reason: `The agent failed: ${answer.error ?? 'it gave no reason'}`,
  };
}

const toDo = ({ title }: PlanStep): PlanStep => ({ title, status: 'pending' });

function cannotAsk({ agent, project }: WorkOrder, kinds: string[]): AutocodeError {
  return new AutocodeError(
    'ERR_INVALID_INPUT',
    `Project ${project.name} denies tools of the kind ${kinds.join(', ')}, but the agent ${agent.name} uses its tools without asking.`,
    {
      remedy: `Choose an agent that asks (docs/steering.md), or allow them: \`autocode project set ${project.name} ${kinds.map((kind) => `--permit ${kind}=allow`).join(' ')}\`.`,
    },
  );
}

function agentFailed(reason: string): AutocodeError {
  return new AutocodeError('ERR_AGENT_FAILED', `The agent failed: ${reason}`);
}

async function verifyWork(pipeline: Pipeline, sandbox: Sandbox, report: string | null): Promise<boolean> {
  const { api, record } = pipeline;
  const { agentTokens } = record;
  await api.progress({ state: 'verifying', ...(agentTokens === null ? {} : { agentTokens }) });
  const checked = takeResults(pipeline, await verifyIn(pipeline, sandbox));
  const passed = (await takeReport(pipeline, sandbox, report)) && checked;
  if (passed && record.plan !== null) {
    record.plan = planAtEnd(record.plan, true);
    await api.progress({ plan: record.plan });
  }
  return passed;
}

function nothingChanged({ record }: Pipeline): string {
  return record.report === null
    ? 'The agent changed nothing.'
    : 'Investigated: see its report. Nothing was changed.';
}

function unfinished(pipeline: Pipeline, ending: false | Ending): Ending {
  if (ending !== false) return ending;
  const { record } = pipeline;
  // What did not pass is what was found there.
  if (record.report !== null && record.heads.size === 0)
    return { outcome: 'no-change', reason: nothingChanged(pipeline) };
  const nothing = record.heads.size === 0 ? 'The agent changed nothing, and ' : '';
  const reason = `${nothing}${nothing ? 't' : 'T'}hese checks do not pass after ${record.iterations} iteration${record.iterations === 1 ? '' : 's'}: ${failingChecks(record.checks)}.`;
  return { outcome: 'failed', cause: 'agent', reason };
}
