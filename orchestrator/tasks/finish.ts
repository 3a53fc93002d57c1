// A runner reports the end of its run. Used by the API; what the run's end does is in ending.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { FinishInput, Run, RunState } from '../../protocol/run.ts';
import { lastRefusal } from '../budget/refusals.ts';
import type { Queryable } from '../db/connect.ts';
import { proposePlan } from './approval.ts';
import { endRun, type RetryPolicy, type RunEnd } from './ending.ts';
import { getRun } from './queries.ts';
import { lockRun, wakeClaimers, type LockedRun } from './queue.ts';
import { holdRun } from './revive.ts';
import { isLeased, moveRun } from './run-state.ts';
import { withinTransaction } from '../db/within-transaction.ts';

/** The lease of a lost run that is back only to end. */
const LAST_LEASE_SECONDS = 30;

/**
 * Ends a run as its runner says, or hands it to the submission when it is verified. A repeated report gets the same answer.
 * ERR_STALE_FENCE when the run is somebody else's by now, ERR_LOG_INCOMPLETE while bytes of its log are missing.
 */
export async function finishRun(
  db: Queryable,
  run: string,
  input: FinishInput,
  policy: RetryPolicy,
): Promise<Run> {
  checkInput(input);
  return await withinTransaction(db, async (tx) => {
    const locked = await lockRun(tx, run);
    if (await wasReported(tx, locked, input)) return await getRun(tx, run);
    await holdRun(tx, locked, input.fence, LAST_LEASE_SECONDS);
    await completeLogs(tx, run, input.logs);
    await recordResult(tx, run, input);
    if (input.outcome === 'planned') await proposePlan(tx, locked.task.id, input.plan!);
    if (input.outcome === 'verified' && locked.task.replayOf !== null) await keepResult(tx, locked, policy);
    else if (input.outcome === 'verified') await handToSubmission(tx, run);
    else await endRun(tx, locked, await endWithin(tx, run, endOf(input)), policy);
    return await getRun(tx, run);
  });
}

function checkInput(input: FinishInput): void {
  if (input.outcome === 'verified' && input.headCommits.length === 0)
    throw incomplete('`verified` needs headCommits, the commits that were pushed');
  if (input.outcome === 'planned' && input.plan === undefined) throw incomplete('`planned` needs the plan');
  if (input.outcome === 'failed' && input.cause === undefined) throw incomplete('`failed` needs a cause');
}

function incomplete(what: string): AutocodeError {
  return new AutocodeError('ERR_INVALID_INPUT', `The end of the run cannot be recorded: ${what}.`, {
    remedy: 'Send it along.',
  });
}

/** Whether this very report was taken before: a run that was handed over may meanwhile be anything that follows. */
async function wasReported(tx: Queryable, run: LockedRun, input: FinishInput): Promise<boolean> {
  if (run.fence !== input.fence || isLeased(run.state)) return false;
  if (run.state === 'out-of-budget') return REFUSED_ENDS.includes(input.outcome);
  if (input.outcome !== 'verified') return run.state === input.outcome;
  const afterwards: RunState[] = ['submitting', 'succeeded', 'no-change', 'failed', 'cancelled'];
  if (!afterwards.includes(run.state)) return false;
  const { rows } = await tx.query<{ repository: number; head_commit: string }>(
    'select repository, head_commit from run_repository where run = $1 and head_commit is not null',
    [run.id],
  );
  const heads = new Map(rows.map((row) => [row.repository, row.head_commit]));
  return (
    heads.size === input.headCommits.length &&
    input.headCommits.every(({ repository, commit }) => heads.get(repository) === commit)
  );
}

async function completeLogs(tx: Queryable, run: string, ends: FinishInput['logs']): Promise<void> {
  const { rows } = await tx.query<{ stream: string; bytes: number }>(
    'select stream, bytes from log_stream where run = $1 for update',
    [run],
  );
  const have = new Map(rows.map((row) => [row.stream, row.bytes]));
  const missing = Object.entries(ends)
    .filter(([stream, end]) => have.get(stream) !== end.bytes)
    .map(([stream, end]) => [stream, { have: have.get(stream) ?? 0, want: end.bytes }] as const);
  if (missing.length > 0) {
    const told = missing
      .map(([stream, { have, want }]) => `${stream} has ${have} of ${want} bytes`)
      .join(', ');
    throw new AutocodeError(
      'ERR_LOG_INCOMPLETE',
      `Run ${run} cannot end while its log is incomplete: ${told}.`,
      {
        remedy: 'Send the missing bytes, then report the end again.',
        details: Object.fromEntries(missing),
      },
    );
  }
  for (const [stream, end] of Object.entries(ends)) {
    await tx.query(
      `update log_stream set state = 'complete', sha256 = $3, updated_at = now() where run = $1 and stream = $2 and state <> 'complete'`,
      [run, stream, end.sha256],
    );
    await tx.query(`select pg_notify('log', $1)`, [`${run}/${stream}`]);
  }
}

async function recordResult(tx: Queryable, run: string, input: FinishInput): Promise<void> {
  await tx.query(
    `update run set plan = coalesce($2, plan), checks = $3, iterations = greatest(iterations, $4),
       agent_tokens = coalesce($5, agent_tokens), report = $6, sandbox_usage = coalesce($7, sandbox_usage) where id = $1`,
    [
      run,
      input.plan === undefined ? null : JSON.stringify(input.plan),
      JSON.stringify(input.checks),
      input.iterations,
      input.agentTokens ?? null,
      input.report ?? null,
      input.sandboxUsage ?? null,
    ],
  );
  if (input.headCommits.length > 0) await recordHeads(tx, run, input.headCommits);
}

async function recordHeads(tx: Queryable, run: string, heads: FinishInput['headCommits']): Promise<void> {
  const { rowCount } = await tx.query(
    `insert into run_repository (run, repository, head_commit)
       select run.id, head.repository, head.commit
       from run join task_repository own using (task)
       join unnest($2::bigint[], $3::text[]) head (repository, commit) on head.repository = own.repository
       where run.id = $1
     on conflict (run, repository) do update set head_commit = excluded.head_commit`,
    [run, heads.map(({ repository }) => repository), heads.map(({ commit }) => commit)],
  );
  if (rowCount === heads.length) return;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `A commit is told of a repository that run ${run} does not work on.`,
    {
      remedy: 'Name the repositories of its work order, each once.',
    },
  );
}

// From here on the orchestrator owns the run: no lease, no room of the worker; the repositories stay its own.
async function handToSubmission(tx: Queryable, run: string): Promise<void> {
  await moveRun(tx, run, { state: 'submitting' });
  await tx.query(`select pg_notify('run', $1)`, [run]);
  await wakeClaimers(tx);
}

// A run done again is there to be compared: nobody submits it.
async function keepResult(tx: Queryable, run: LockedRun, policy: RetryPolicy): Promise<void> {
  await moveRun(tx, run.id, { state: 'submitting' });
  const reason = `Run ${run.task.replayOf} done again: the result is kept to be compared, not submitted.`;
  await endRun(tx, run, { state: 'succeeded', reason }, policy);
}

/** How a run may end, by its own account, whose agent was refused a call for want of budget. */
const REFUSED_ENDS: readonly FinishInput['outcome'][] = [
  'out-of-budget',
  'failed',
  'no-change',
  'out-of-time',
];

// Many agents say something else, or nothing, when the gateway refuses a call.
async function endWithin(tx: Queryable, run: string, end: RunEnd): Promise<RunEnd> {
  if (!REFUSED_ENDS.some((each) => each === end.state)) return end;
  if (end.state === 'failed' && end.cause !== 'agent') return end;
  const refusal = await lastRefusal(tx, run);
  if (refusal === null && end.state !== 'out-of-budget') return end;
  const { rowCount } = await tx.query(`select from model_call where run = $1 and outcome = 'ok' limit 1`, [
    run,
  ]);
  return { state: 'out-of-budget', begun: rowCount !== 0, reason: refusal ?? end.reason };
}

function endOf({ outcome, cause, reason }: FinishInput): RunEnd {
  const told = reason ?? null;
  switch (outcome) {
    case 'failed':
      return { state: 'failed', cause: cause!, reason: told };
    case 'lost':
      return { state: 'lost', cause: cause ?? 'lost', reason: told };
    case 'out-of-time':
      return { state: 'out-of-time', cause: 'out-of-time', reason: told };
    case 'verified':
      throw new TypeError('a verified run is handed to the submission');
    case 'out-of-budget':
      return { state: outcome, begun: true, reason: told };
    default:
      return { state: outcome, reason: told };
  }
}
