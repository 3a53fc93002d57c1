// What an agent may do in which phase of a run, when it asks. Used by AcpAgent.
import type { RequestPermissionRequest, RequestPermissionResponse } from '@agentclientprotocol/sdk';
import type { Phase } from './coding-agent.ts';

/** Kinds of tools that change nothing; all that a plan needs. */
const READING: ReadonlySet<string> = new Set(['read', 'search', 'think']);

/** True when a tool of this kind may run in the phase. Outside the plan the sandbox is the limit, not the question. */
export function allowed(phase: Phase, kind: string): boolean {
  return phase !== 'plan' || READING.has(kind);
}

/** The answer to a permission request: one of the options that the agent offers, for this once where it can be. */
export function answerPermission(
  request: RequestPermissionRequest,
  allow: boolean,
): RequestPermissionResponse {
  const verb = allow ? 'allow' : 'reject';
  const option =
    request.options.find(({ kind }) => kind === `${verb}_once`) ??
    request.options.find(({ kind }) => kind.startsWith(verb));
  return { outcome: option ? { outcome: 'selected', optionId: option.optionId } : { outcome: 'cancelled' } };
}
