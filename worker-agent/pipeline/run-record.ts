// What a run has come to so far, and the frame in which each of its steps is done. Used by the pipeline's files.
import type { RUN_STEPS } from '../../protocol/log.ts';
import type { Report } from '../../protocol/report.ts';
import type { AgentTokens, Check, Plan } from '../../protocol/run.ts';
import type { VerifyCommand } from '../../protocol/project.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import type { AgentContext, CodingAgent, RunEventInput } from '../agents/coding-agent.ts';
import type { RunDirectory } from '../run-directory.ts';
import type { RunApi } from '../runner/api.ts';
import type { Inbox } from '../runner/inbox.ts';
import type { Lender } from '../sandbox/confined.ts';
import type { EnvironmentRoot } from '../sandbox/environment-root.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { GitContext } from '../workspace/git.ts';
import type { Remote } from '../workspace/remote.ts';

export type SandboxName = 'base' | 'work' | 'final';

/** All that a pipeline needs; the runner wires it. */
export interface PipelineOptions {
  order: WorkOrder;
  directory: RunDirectory;
  api: Pick<
    RunApi,
    | 'base'
    | 'progress'
    | 'messages'
    | 'budget'
    | 'memory'
    | 'keepMemory'
    | 'environment'
    | 'dependencies'
    | 'keepDependencies'
  >;
  inbox: Inbox;
  log: { event(event: RunEventInput): void; raw(bytes: Uint8Array): void };
  git: GitContext;
  /** The orchestrator's git address of a repository, by its path there. */
  remote(gitPath: string): Remote;
  /** Object caches of this worker, one a repository. */
  cacheDir: string;
  toolDir: string;
  /** How work trees are made: by overlay where this process may mount, owned by whom, with a cache of how much. */
  workspace: { overlay: boolean; owner: number | null; cacheBytes: number; dependencyBytes: number };
  /** A sandbox over the work tree of that name, which exists and borrows objects from these. */
  openSandbox(name: SandboxName, lenders: Lender[], environment: EnvironmentRoot | null): Promise<Sandbox>;
  createAgent(name: string, context: AgentContext): CodingAgent;
  /** Aborts with the reason (`Stopped`) when the run must end. */
  signal: AbortSignal;
}

/** The part of the report that grows while the run goes on. */
export interface RunRecord {
  plan: Plan | null;
  checks: Check[];
  iterations: number;
  /** What was pushed, by the repository's number. */
  heads: Map<number, string>;
  /** What the agent has counted up to its last turn. */
  agentTokens: AgentTokens | null;
  /** Of an investigation, as it was when its work was verified last. */
  report: Report | null;
}

/** `instructions` are those of the repository's `.autocode.yaml`. */
export type Pipeline = PipelineOptions & { record: RunRecord; instructions: string | null };

type Step = (typeof RUN_STEPS)[number];

/** A pipeline at its start: all checks are still to be run. */
export function newPipeline(options: PipelineOptions): Pipeline {
  const checks = checksOf(options.order.verify);
  return {
    ...options,
    instructions: null,
    record: { plan: null, checks, iterations: 0, heads: new Map(), agentTokens: null, report: null },
  };
}

/** The verify commands as checks that are still to be run. */
export function checksOf(verify: VerifyCommand[]): Check[] {
  return verify.map(({ name, command }) => ({ name, command, base: null, head: null }));
}

/** Does one step and says so in the log. `failure` tells from the result why the step failed, if it did. */
export async function step<T>(
  pipeline: Pipeline,
  name: Step,
  work: () => Promise<T>,
  failure: (result: T) => string | null = () => null,
): Promise<T> {
  const { log, record, signal } = pipeline;
  signal.throwIfAborted();
  const about = {
    type: 'step' as const,
    step: name,
    ...(record.iterations > 0 ? { iteration: record.iterations } : {}),
  };
  log.event({ ...about, status: 'started' });
  try {
    const result = await work();
    const detail = failure(result);
    log.event(detail === null ? { ...about, status: 'ended' } : { ...about, status: 'failed', detail });
    return result;
  } catch (error) {
    log.event({ ...about, status: 'failed', detail: (error as Error).message });
    throw error;
  }
}
