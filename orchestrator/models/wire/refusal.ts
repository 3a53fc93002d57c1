// Errors in the shape that the client's protocol knows. Used by the gateway and the recorder.
import type { ServerResponse } from 'node:http';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Protocol } from '../../../protocol/model.ts';
import { count, object } from './json.ts';
import { ENDPOINTS } from './table.ts';
import type { Refusal } from './wire.ts';

/** The refusal that an error means. The code stands in the message too: agents show that and nothing else. */
export function refusalOf(error: unknown, requestId: string): Refusal {
  if (!(error instanceof AutocodeError)) {
    return {
      status: 500,
      code: 'ERR_INTERNAL',
      message: `The gateway failed (request ${requestId}); see its log.`,
      requestId,
    };
  }
  const words = [error.message, error.remedy].filter((part) => part !== undefined).join(' ');
  const retryAfter = count(object(error.details).retryAfter);
  return {
    status: error.status,
    code: error.code,
    message: `${words} [${error.code}]`,
    requestId,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

/** Answers with the refusal, whole. */
export function sendRefusal(response: ServerResponse, protocol: Protocol, refusal: Refusal): void {
  if (refusal.retryAfter !== undefined) response.setHeader('retry-after', refusal.retryAfter);
  sendJson(response, refusal.status, ENDPOINTS[protocol].refusal(refusal));
}

/** Answers with a JSON body. */
export function sendJson(response: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}
