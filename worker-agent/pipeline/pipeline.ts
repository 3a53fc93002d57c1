// What is done in a run, from the base to the report. Used by the runner; everything it touches comes as a parameter.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import type { BaseAnswer, CheckResult, Plan } from '../../protocol/run.ts';
import type { CodingAgent, Phase } from '../agents/coding-agent.ts';
import type { RunReport } from '../run-directory.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { fetchIntoCache } from '../workspace/cache.ts';
import { exportTree, pushCommit, type Result } from '../workspace/export.ts';
import { pruneCache } from '../workspace/prune.ts';
import { changedLayer, makeWorkTree, removeWorkTree, startIndex } from '../workspace/work-tree.ts';
import { type Ending, endingOf, failingChecks, reportOf } from './ending.ts';
import { oneStepPlan, parsePlan, planAtEnd, planAtWork } from './plan.ts';
import { promptFor, type PromptContext } from './prompt.ts';
import { newPipeline, step, type Pipeline, type PipelineOptions, type SandboxName } from './run-record.ts';
import { runChecks } from './verify.ts';

/** Where the work starts: the commits, and the cache that has their objects. */
type Base = BaseAnswer & { cache: string };

const CONVENTIONS = /^(readme|agents|claude|contributing|development)(\.(md|rst|txt))?$/i;
/** For an agent to end by itself when the run stops. */
const GRACE_MS = 300;
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
  await step(pipeline, 'workspace', async () => await makeTree(pipeline, base, 'work'));
  await step(pipeline, 'base-verify', async () => await verifyBase(pipeline, base));
  const passed = await withSandbox(
    pipeline,
    base,
    'work',
    async (sandbox) => await workUntilVerified(pipeline, sandbox),
  );
  const result = await step(pipeline, 'push', async () => await push(pipeline, base));
  if (passed !== true) return unfinished(pipeline, result, passed);
  if (result.commit === null) return { outcome: 'no-change', reason: 'The agent changed nothing.' };
  const { commit } = result;
  const verified = await step(
    pipeline,
    'final-verify',
    async () => await verifyResult(pipeline, base, commit),
    failedChecks(pipeline),
  );
  if (!verified) {
    const reason = `The checks pass in the work tree but not in a fresh clone of the result (files that git ignores are not part of it): ${failingChecks(pipeline.record.checks)}.`;
    return { outcome: 'failed', cause: 'agent', reason };
  }
  return { outcome: 'verified' };
}

/** What whoever reads the log has to know before anything else. */
function announce({ order, log }: Pipeline): void {
  if (order.isolation === 'directory' && !order.project.trusted) {
    throw new AutocodeError(
      'ERR_NOT_TRUSTED',
      `Project ${order.project.name} is not marked trusted, and isolation \`${order.isolation}\` is none.`,
      {
        remedy: `Trust it with \`autocode project set ${order.project.name} --trusted\`.`,
      },
    );
  }
  if (order.verify.length === 0)
    log.event({
      type: 'notice',
      text: 'NOTHING WILL BE CHECKED: the project has no verify commands, so any change counts as verified.',
    });
}

async function fetchBase({ api, git, remote, cacheDir, order }: Pipeline): Promise<Base> {
  await api.progress({ state: 'preparing' });
  const answer = await api.base();
  const cache = await fetchIntoCache(git, remote, {
    cacheDir,
    repository: order.repository.id,
    ref: answer.ref,
  });
  return { ...answer, cache };
}

async function makeTree(
  pipeline: Pipeline,
  base: Base,
  name: SandboxName,
  commit = base.startCommit,
): Promise<void> {
  const { git, directory, order, log, cacheDir } = pipeline;
  const { cacheBytes, ...workspace } = pipeline.workspace;
  const kind = await makeWorkTree(git, {
    ...workspace,
    handOver: order.isolation === 'bubblewrap',
    root: directory.sandbox(name).root,
    cacheDir,
    runDirectory: directory.path,
    repository: order.repository.id,
    baseCommit: base.baseCommit,
    commit,
    branch: `autocode/${order.run}`,
    objects: objectsFor(pipeline, base, name),
  });
  if (name === 'work') log.event({ type: 'notice', text: `The work tree is an own ${kind}.` });
  if (kind === 'overlay over a checkout made now') await pruneCache(git, path.dirname(cacheDir), cacheBytes);
}

/** The directories that a work tree borrows its objects from. */
function objectsFor({ directory }: Pipeline, base: Base, name: SandboxName): string[] {
  const repositories = name === 'final' ? [base.cache, directory.exportGit] : [base.cache];
  return repositories.map((each) => path.join(each, 'objects'));
}

async function verifyBase(pipeline: Pipeline, base: Base): Promise<void> {
  const { record } = pipeline;
  if (record.checks.length === 0) return;
  const results = await verifyFresh(pipeline, base, 'base', base.baseCommit);
  record.checks = record.checks.map((check, index) => ({ ...check, base: results[index] ?? null }));
}

async function verifyResult(pipeline: Pipeline, base: Base, commit: string): Promise<boolean> {
  await pipeline.api.progress({ state: 'verifying' });
  return takeResults(pipeline, await verifyFresh(pipeline, base, 'final', commit));
}

// From a fresh clone, with a fresh home, in a sandbox of its own: only what is in the commit counts.
async function verifyFresh(
  pipeline: Pipeline,
  base: Base,
  name: 'base' | 'final',
  commit: string,
): Promise<CheckResult[]> {
  await makeTree(pipeline, base, name, commit);
  const results = await withSandbox(
    pipeline,
    base,
    name,
    async (sandbox) => await verifyIn(pipeline, sandbox),
  );
  await removeWorkTree(pipeline.git, pipeline.directory.sandbox(name).root);
  return results;
}

async function verifyIn({ order, log, signal }: Pipeline, sandbox: Sandbox): Promise<CheckResult[]> {
  const { verifyTimeoutSeconds: timeoutSeconds, verifyOutputBytes: outputBytes } = order.limits;
  return await runChecks(sandbox, order.verify, { timeoutSeconds, outputBytes, emit: log.event, signal });
}

function takeResults({ record }: Pipeline, results: CheckResult[]): boolean {
  record.checks = record.checks.map((check, index) => ({ ...check, head: results[index] ?? null }));
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
  const sandbox = await pipeline.openSandbox(name, objectsFor(pipeline, base, name));
  try {
    return await use(sandbox);
  } finally {
    await sandbox.close();
  }
}

/** The agent's part. True when all checks pass; an ending when the agent cannot go on; false when the iterations are used up. */
async function workUntilVerified(pipeline: Pipeline, sandbox: Sandbox): Promise<boolean | Ending> {
  const { api, order, record } = pipeline;
  const context: PromptContext = { order, workspace: sandbox.workspace, conventions: [] };
  const agent = await step(pipeline, 'context', async () => {
    context.conventions = await conventionsOf(pipeline);
    return await startAgent(pipeline, sandbox);
  });
  try {
    await api.progress({ state: 'working' });
    await step(pipeline, 'plan', async () => await makePlan(pipeline, agent, context));
    for (record.iterations = 1; ; record.iterations += 1) {
      const phase = record.iterations === 1 ? 'execute' : 'adjust';
      const failure = await step(
        pipeline,
        'execute',
        async () => await execute(pipeline, agent, phase, context),
        (ending) => ending?.reason ?? null,
      );
      if (failure !== null) return failure;
      const passed = await step(
        pipeline,
        'verify',
        async () => await verifyWork(pipeline, sandbox),
        failedChecks(pipeline),
      );
      if (passed || record.iterations >= order.limits.maxIterations) return passed;
      await step(
        pipeline,
        'adjust',
        async () => await api.progress({ state: 'working', iterations: record.iterations }),
      );
    }
  } finally {
    await Promise.race([agent.stop().catch(() => {}), delay(STOP_MS, undefined, { ref: false })]);
  }
}

async function conventionsOf({ directory }: Pipeline): Promise<string[]> {
  const names = await readdir(directory.sandbox('work').tree);
  return names.filter((name) => CONVENTIONS.test(name)).sort();
}

async function startAgent(
  { createAgent, order, log, toolDir, api, signal }: Pipeline,
  sandbox: Sandbox,
): Promise<CodingAgent> {
  const agent = createAgent(order.agent.name, {
    sandbox,
    agent: order.agent,
    toolDir,
    emit: log.event,
    raw: log.raw,
    signal,
  });
  try {
    const { version } = await agent.start();
    if (version !== null) await api.progress({ agentVersion: version.slice(0, 100) });
    return agent;
  } catch (error) {
    await agent.stop().catch(() => {});
    throw error;
  }
}

async function makePlan(pipeline: Pipeline, agent: CodingAgent, context: PromptContext): Promise<void> {
  const { api, order, record, log } = pipeline;
  let plan: Plan | null = null;
  if (agent.plans) {
    const answer = await turn(pipeline, agent, 'plan', promptFor('plan', context, null, []));
    if (answer.error !== null && answer.stop === 'failed') throw agentFailed(answer.error);
    plan = parsePlan(answer.text);
    if (plan === null)
      log.event({
        type: 'notice',
        text: 'The agent gave no plan that can be read; the task is taken as one step.',
      });
  }
  record.plan = plan ?? oneStepPlan(order.task.title);
  await api.progress({ plan: record.plan });
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
  const budget = agent.budgetCheck();
  if (!budget.ok) return { outcome: 'out-of-budget', reason: budget.reason ?? 'The budget is used up.' };
  const answer = await turn(
    pipeline,
    agent,
    phase,
    promptFor(phase, context, agent.plans ? record.plan : null, record.checks),
  );
  const after = agent.budgetCheck();
  if (!after.ok) return { outcome: 'out-of-budget', reason: after.reason ?? 'The budget is used up.' };
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

// The agent is given a moment to end by itself when the run stops; closing the sandbox does the rest.
async function turn({ log, signal }: Pipeline, agent: CodingAgent, phase: Phase, prompt: string) {
  log.event({ type: 'message', role: 'prompt', text: prompt });
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const work = agent.runTask({ phase, prompt });
  work.catch(() => {}); // one that ends after the race
  const answer = await Promise.race([work, stopped.then(async () => await delay(GRACE_MS, null))]);
  signal.throwIfAborted();
  if (answer === null) throw new Error('unreachable: the signal has aborted');
  return answer;
}

function agentFailed(reason: string): AutocodeError {
  return new AutocodeError('ERR_AGENT_FAILED', `The agent failed: ${reason}`);
}

async function verifyWork(pipeline: Pipeline, sandbox: Sandbox): Promise<boolean> {
  const { api, record } = pipeline;
  await api.progress({ state: 'verifying' });
  const passed = takeResults(pipeline, await verifyIn(pipeline, sandbox));
  if (passed && record.plan !== null) {
    record.plan = planAtEnd(record.plan, true);
    await api.progress({ plan: record.plan });
  }
  return passed;
}

/** Commits and pushes what the work tree holds, verified or not, so that a next attempt can start from it. */
async function push(pipeline: Pipeline, base: Base): Promise<Result> {
  const { git, directory, order, log, remote, record } = pipeline;
  const { baseCommit, startCommit, cache, ref } = base;
  const { root, tree } = directory.sandbox('work');
  const result = await exportTree(git, {
    gitDir: directory.exportGit,
    tree,
    cache,
    baseCommit,
    startCommit,
    index: startIndex(root),
    changed: changedLayer(root),
    message: `autocode: run ${order.run}`,
  });
  for (const text of result.notices) log.event({ type: 'notice', text });
  for (const { path: file, change } of result.changes) log.event({ type: 'file_change', path: file, change });
  if (result.commit === null) return result;
  await pushCommit(git, remote, { gitDir: directory.exportGit, commit: result.commit, ref });
  record.headCommit = result.commit;
  return result;
}

function unfinished({ record }: Pipeline, result: Result, ending: false | Ending): Ending {
  if (ending !== false) return ending;
  const nothing = result.commit === null ? 'The agent changed nothing, and ' : '';
  const reason = `${nothing}${nothing ? 't' : 'T'}hese checks do not pass after ${record.iterations} iteration${record.iterations === 1 ? '' : 's'}: ${failingChecks(record.checks)}.`;
  return { outcome: 'failed', cause: 'agent', reason };
}
