// What went wrong in an ACP agent, in words for the user. Used by AcpAgent.
import { RequestError } from '@agentclientprotocol/sdk';
import type { Exit } from '../sandbox/sandbox.ts';

/** An error answer in the words of whoever refused: the gateway's, where the agent passes them on. */
export function failureText(error: unknown): string {
  if (!(error instanceof RequestError)) return error instanceof Error ? error.message : String(error);
  const data = error.data;
  const details =
    typeof data === 'string'
      ? data
      : typeof data === 'object' && data !== null && 'details' in data
        ? data.details
        : undefined;
  return typeof details === 'string' && details !== '' ? unwrap(details) : `${error.message} (${error.code})`;
}

/** Some agents pass on the whole body of the answer, as `422 {"error":{"message":…}}`. */
function unwrap(details: string): string {
  const from = details.indexOf('{');
  if (from === -1) return details;
  try {
    const body = JSON.parse(details.slice(from)) as { error?: { message?: unknown }; message?: unknown };
    const message = body.error?.message ?? body.message;
    return typeof message === 'string' ? details.slice(0, from) + message : details;
  } catch {
    return details;
  }
}

/** True for the answer with which the gateway refuses a call for want of budget (HTTP 402). */
export function isBudgetRefusal(text: string): boolean {
  return /^(\S+ )?402\b/.test(text);
}

/** How a process ended, with the last lines that it printed as an error. */
export function exitText({ code, signal }: Exit, stderr: string): string {
  const how = signal
    ? `was ended by ${signal}`
    : code === 127
      ? 'could not be started (exit code 127)'
      : `exited with code ${code}`;
  const lines = stderr.split('\n').slice(-5).join('\n');
  return lines ? `${how}: ${lines}` : how;
}
