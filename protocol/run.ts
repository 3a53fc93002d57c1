// Runs: one attempt at a task. What the runner reports and what the API shows.
import { z } from 'zod';
import { RunEnvironment } from './environment.ts';
import { CommitId, Fence, RunId, TaskId, Timestamp } from './ids.ts';
import { Message } from './message.ts';
import { MOST_REPOSITORIES } from './project.ts';
import { ProjectFile } from './project-file.ts';
import { Report } from './report.ts';
import { SandboxUsage } from './sandbox-usage.ts';
import { Finding } from './submission.ts';
import { reported } from './text.ts';

export const RUN_STATES = [
  'leased',
  'preparing',
  'working',
  'verifying',
  'submitting',
  'succeeded',
  'no-change',
  'planned',
  'failed',
  'cancelled',
  'lost',
  'out-of-time',
  'out-of-budget',
] as const;
export const RunState = z.enum(RUN_STATES).meta({ id: 'RunState' });
export type RunState = z.infer<typeof RunState>;

/** Why a run failed; each is counted and retried apart. `input`: the task cannot be done as given, so it is not retried. */
export const RUN_CAUSES = ['agent', 'platform', 'lost', 'out-of-time', 'input'] as const;
export const RunCause = z.enum(RUN_CAUSES).meta({ id: 'RunCause' });
export type RunCause = z.infer<typeof RunCause>;

export const CheckResult = z
  .object({
    status: z.enum(['passed', 'failed', 'timed-out', 'not-run']),
    exitCode: z.int32().nullable(),
    durationMs: z.number().int().nonnegative(),
    output: reported().max(20_000).meta({
      description: 'The end of its output, at most 16 KiB; the whole (capped) output is in the log.',
    }),
  })
  .meta({ id: 'CheckResult' });
export type CheckResult = z.infer<typeof CheckResult>;

export const Check = z
  .object({
    name: reported(),
    command: reported(),
    base: CheckResult.nullable(),
    head: CheckResult.nullable(),
  })
  .meta({
    id: 'Check',
    description: 'One verify command, on the commit the run started from and on its result.',
  });
export type Check = z.infer<typeof Check>;

export const PlanStep = z
  .object({
    title: reported().min(1).max(500),
    status: z.enum(['pending', 'in-progress', 'completed', 'failed', 'skipped']),
  })
  .meta({ id: 'PlanStep' });
export type PlanStep = z.infer<typeof PlanStep>;

export const Plan = z
  .object({ summary: reported().max(5000), steps: z.array(PlanStep).max(200) })
  .meta({ id: 'Plan' });
export type Plan = z.infer<typeof Plan>;

export const Usage = z
  .object({
    calls: z.number().int().nonnegative(),
    inputTokens: z
      .number()
      .int()
      .nonnegative()
      .meta({ description: 'All input tokens, cached ones counted in.' }),
    cachedTokens: z.number().int().nonnegative(),
    outputTokens: z.number().int().nonnegative(),
    costMicros: z.number().int().nonnegative().meta({ description: 'Millionths of the ledger currency.' }),
  })
  .meta({ id: 'Usage' });
export type Usage = z.infer<typeof Usage>;

export const AgentTokens = Usage.pick({ inputTokens: true, cachedTokens: true, outputTokens: true }).meta({
  id: 'AgentTokens',
  description: 'Tokens as an agent counts them itself: advisory, the ledger is what counts.',
});
export type AgentTokens = z.infer<typeof AgentTokens>;

export const Run = z
  .object({
    id: RunId,
    task: TaskId,
    fence: Fence,
    state: RunState,
    cause: RunCause.nullable(),
    reason: z.string().nullable(),
    worker: z.string(),
    agent: z.string(),
    agentVersion: z.string().nullable(),
    model: z.string(),
    isolation: z.string(),
    environment: RunEnvironment.nullable().default(null),
    iterations: z.number().int(),
    repositories: z
      .array(
        z.object({
          id: z.number().int(),
          name: z.string(),
          baseCommit: CommitId.nullable(),
          headCommit: CommitId.nullable().meta({ description: 'Null where nothing changed.' }),
        }),
      )
      .meta({ description: 'Where it works, from which commit, and what it brought there.' }),
    plan: Plan.nullable(),
    checks: z.array(Check),
    findings: z
      .array(Finding)
      .default([])
      .meta({ description: 'What the submission checks found in its result.' }),
    usage: Usage,
    agentTokens: AgentTokens.nullable().default(null),
    sandboxUsage: SandboxUsage.nullable().default(null).meta({
      description: 'As of the last heartbeat, then of its end; null: its worker does not tell.',
    }),
    report: Report.nullable().default(null).meta({ description: 'What an investigation found.' }),
    logs: z.array(
      z.object({
        stream: z.string(),
        bytes: z.number().int(),
        sha256: z.string().nullable(),
        state: z.enum(['open', 'complete', 'truncated']),
      }),
    ),
    leaseUntil: Timestamp.nullable(),
    deadline: Timestamp,
    createdAt: Timestamp,
    finishedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Run' });
export type Run = z.infer<typeof Run>;

// --- what the runner sends; every one carries the fence ---

export const HeartbeatInput = z
  .strictObject({ fence: Fence, sandboxUsage: SandboxUsage.optional() })
  .meta({ id: 'HeartbeatInput' });
export const HeartbeatAnswer = z
  .object({ leaseUntil: Timestamp, deadline: Timestamp, cancel: z.boolean() })
  .meta({ id: 'HeartbeatAnswer' });
export type HeartbeatAnswer = z.infer<typeof HeartbeatAnswer>;

export const SignalsAnswer = z
  .object({ cancel: z.boolean(), messages: z.array(Message).default([]) })
  .meta({ id: 'SignalsAnswer' });
export type SignalsAnswer = z.infer<typeof SignalsAnswer>;

export const BaseAnswer = z
  .object({
    repositories: z.array(
      z.object({
        id: z.number().int(),
        baseCommit: CommitId,
        startCommit: CommitId.meta({
          description:
            'Where the work tree starts: the base, or the last commit that an earlier attempt pushed.',
        }),
      }),
    ),
    ref: z.string().meta({
      description: 'The one ref that the run may fetch and push in each repository, as `refs/runs/12-1`.',
    }),
    file: z
      .object(ProjectFile.pick({ verify: true, limits: true, instructions: true }).shape)
      .optional()
      .meta({
        description: 'What .autocode.yaml at the base decides: instead of the work order, if tighter.',
      }),
    environment: RunEnvironment.optional().meta({
      description: "Where the run's programs come from; left out: from the worker's machine.",
    }),
  })
  .meta({ id: 'BaseAnswer' });
export type BaseAnswer = z.infer<typeof BaseAnswer>;

/** States that the runner itself announces, in this order. */
export const RUNNER_STATES = ['preparing', 'working', 'verifying'] as const;
export const ProgressInput = z
  .strictObject({
    fence: Fence,
    state: z.enum(RUNNER_STATES).optional(),
    plan: Plan.optional(),
    iterations: z.number().int().nonnegative().max(1_000_000).optional(),
    agentVersion: reported().max(100).optional(),
    agentTokens: AgentTokens.optional(),
  })
  .meta({ id: 'ProgressInput' });
export type ProgressInput = z.infer<typeof ProgressInput>;

export const LogEnd = z
  .object({ bytes: z.number().int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })
  .meta({ id: 'LogEnd' });

export const FinishInput = z
  .strictObject({
    fence: Fence,
    outcome: z.enum([
      'verified',
      'no-change',
      'planned',
      'failed',
      'cancelled',
      'out-of-time',
      'out-of-budget',
      'lost',
    ]),
    cause: RunCause.optional().meta({ description: 'Required for `failed` and `lost`.' }),
    reason: reported().max(4000).optional(),
    headCommits: z
      .array(z.object({ repository: z.number().int(), commit: CommitId }))
      .max(MOST_REPOSITORIES)
      .default([])
      .meta({
        description: "What was pushed to the run's ref, by repository; `verified` needs one at least.",
      }),
    plan: Plan.optional().meta({ description: 'Required for `planned`.' }),
    checks: z.array(Check).max(50).default([]),
    iterations: z.number().int().nonnegative().max(1_000_000).default(0),
    agentTokens: AgentTokens.optional(),
    sandboxUsage: SandboxUsage.optional(),
    report: Report.optional(),
    logs: z
      .record(z.string().regex(/^[a-z]{1,20}$/), LogEnd)
      .default({})
      .meta({
        description:
          'Length and digest of each stream; refused with ERR_LOG_INCOMPLETE while bytes are missing.',
      }),
  })
  .meta({ id: 'FinishInput' });
export type FinishInput = z.infer<typeof FinishInput>;
