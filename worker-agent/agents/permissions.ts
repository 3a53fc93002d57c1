// What an agent may do in which phase of a run, when it asks. Used by AcpAgent and the pipeline.
import type { RequestPermissionRequest, RequestPermissionResponse } from '@agentclientprotocol/sdk';
import type { Permissions } from '../../protocol/project.ts';
import type { Phase } from './coding-agent.ts';

/** Kinds of tools that change nothing; all that a plan needs. */
const READING: ReadonlySet<string> = new Set(['read', 'search', 'think']);

/** Why a tool of this kind may not run in the phase; null when it may. Outside the plan the project's permissions say. */
export function refusal(phase: Phase, kind: string, permissions: Permissions): string | null {
  if (denied(permissions).includes(kind)) return `the project denies tools of the kind ${kind}`;
  return phase === 'plan' && !READING.has(kind) ? 'nothing may be changed or run while planning' : null;
}

/** The kinds of tools that are denied. */
export function denied(permissions: Permissions): string[] {
  return Object.entries(permissions).flatMap(([kind, answer]) => (answer === 'deny' ? [kind] : []));
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
