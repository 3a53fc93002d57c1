// The limits of one run as options name them, as the API wants them. Used by `project add|set` and `task add`.
import type { RunLimits } from '../../protocol/project.ts';
import { parseTokens } from './money/amount.ts';

export interface LimitArgs {
  deadline: number | undefined;
  iterations: number | undefined;
  maxCalls: number | undefined;
  maxTokens: string | undefined;
  agentTurns: number | undefined;
  agentUsd: number | undefined;
}

/** The limits; what is undefined stays out of the JSON. */
export function limitsOf(args: LimitArgs): { [limit in keyof RunLimits]: RunLimits[limit] | undefined } {
  return {
    deadlineMinutes: args.deadline,
    maxIterations: args.iterations,
    maxCalls: args.maxCalls,
    maxTokens: args.maxTokens === undefined ? undefined : parseTokens(args.maxTokens),
    agentTurns: args.agentTurns,
    agentUsd: args.agentUsd,
  };
}
