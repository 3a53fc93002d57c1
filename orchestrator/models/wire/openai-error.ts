// The error body of OpenAI's two protocols.
import type { Refusal } from './wire.ts';

/** Body of an answer that is not a success, as OpenAI clients read it. */
export function openaiRefusal({ status, code, message, requestId }: Refusal): object {
  return { error: { message, type: openaiType(status), param: null, code, request_id: requestId } };
}

function openaiType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
