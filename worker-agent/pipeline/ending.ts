// How a run ends: what is reported for a result, for a failure of the agent, of the platform or of the task as it was given.
// Used by the pipeline; the runner adds what only it knows (cut off, terminated).
import { AutocodeError, type ErrorCode } from '../../protocol/errors.ts';
import type { Check, RunCause } from '../../protocol/run.ts';
import type { RunReport } from '../run-directory.ts';
import { isNotOurs } from '../runner/ownership.ts';
import { Stopped, stopReason } from '../runner/stop.ts';
import { planAtEnd } from './plan.ts';
import type { Pipeline } from './run-record.ts';

/** The outcome with its reason; what the run has come to is added to it. */
export interface Ending {
  outcome: RunReport['outcome'];
  cause?: RunCause;
  reason?: string;
}

const CAUSES: Partial<Record<ErrorCode, RunCause>> = {
  ERR_BRANCH_UNKNOWN: 'input',
  ERR_REPOSITORY_EMPTY: 'input',
  ERR_INVALID_INPUT: 'input',
  ERR_PROJECT_FILE: 'input',
  ERR_NOT_TRUSTED: 'input',
  ERR_AGENT_UNKNOWN: 'input',
  ERR_ENVIRONMENT: 'input',
  ERR_AGENT_FAILED: 'agent',
};

const LONGEST_REASON = 4000;

/** The report of a run that ended so. */
export function reportOf({ order, record }: Pipeline, { outcome, cause, reason }: Ending): RunReport {
  const done = outcome === 'verified' || outcome === 'no-change';
  return {
    fence: order.fence,
    outcome,
    ...(cause === undefined ? {} : { cause }),
    ...(reason === undefined ? {} : { reason: reason.slice(0, LONGEST_REASON) }),
    headCommits: [...record.heads].map(([repository, commit]) => ({ repository, commit })),
    ...(record.plan === null
      ? {}
      : { plan: outcome === 'planned' ? record.plan : planAtEnd(record.plan, done) }),
    checks: record.checks,
    iterations: record.iterations,
    ...(record.agentTokens === null ? {} : { agentTokens: record.agentTokens }),
    ...(record.report === null ? {} : { report: record.report }),
  };
}

/** The ending that an error stands for. Throws `Stopped` when nobody is left to report to, or the run is no longer ours. */
export function endingOf(error: unknown): Ending {
  const stopped = stopReason(error);
  if (stopped !== null) return endingOfStop(stopped);
  if (isNotOurs(error)) throw new Stopped('stale', error.message);
  const message = error instanceof Error ? error.message : String(error);
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
    return { outcome: 'failed', cause: 'platform', reason: `The worker's disk is full: ${message}` };
  if (!(error instanceof AutocodeError)) return { outcome: 'failed', cause: 'platform', reason: message };
  const reason = error.remedy === undefined ? message : `${message} ${error.remedy}`;
  return { outcome: 'failed', cause: CAUSES[error.code] ?? 'platform', reason };
}

function endingOfStop(stopped: Stopped): Ending {
  switch (stopped.why) {
    case 'cancelled':
      return { outcome: 'cancelled', reason: stopped.message };
    case 'out-of-time':
      return { outcome: 'out-of-time', cause: 'out-of-time', reason: stopped.message };
    case 'too-big':
      return { outcome: 'failed', cause: 'agent', reason: stopped.message };
    case 'disk-full':
      return { outcome: 'failed', cause: 'platform', reason: stopped.message };
    default:
      throw stopped;
  }
}

/** Which checks do not pass, in a sentence: as `test (failed; passed before the change)`. */
export function failingChecks(checks: Check[]): string {
  return checks
    .filter((check) => check.head?.status !== 'passed')
    .map(({ name, base, head }) => {
      const before =
        base === null
          ? 'unknown before'
          : base.status === 'passed'
            ? 'passed before the change'
            : `${base.status} before the change too`;
      return `${name} (${head?.status ?? 'not-run'}; ${before})`;
    })
    .join(', ');
}
