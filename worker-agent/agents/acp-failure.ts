// What went wrong in an ACP agent, in words for the user. Used by AcpAgent.
import { RequestError } from '@agentclientprotocol/sdk';
import type { Exit } from '../sandbox/sandbox.ts';

/** The protocol's code for what a session needs a login for. */
const LOGIN_WANTED = -32_000;

/** An error answer in the words of whoever refused: the gateway's, where the agent passes them on. */
export function failureText(error: unknown): string {
  if (!(error instanceof RequestError)) return error instanceof Error ? error.message : String(error);
  if (error.code === LOGIN_WANTED)
    return 'it wants a login, though it was given the gateway: this version does not work without an account';
  const { data } = error as { data?: unknown };
  const within = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  const details = [data, within['details'], within['message']].find(
    (each) => typeof each === 'string' && each !== '',
  );
  if (typeof details === 'string') return unwrap(details);
  const words = error.message.replace(/^Internal error: /, '');
  return words === error.message ? `${error.message} (${error.code})` : words;
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
  return /^((API )?Error: |unexpected status |\S+ )?402\b/.test(text);
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
