// Errors in the shape that the client's protocol knows. Used by the gateway and the recorder.
import type { ServerResponse } from 'node:http';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Protocol } from '../../../protocol/model.ts';
import { WIRES } from './table.ts';
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
  return { status: error.status, code: error.code, message: `${words} [${error.code}]`, requestId };
}

/** Answers with the refusal, whole. */
export function sendRefusal(response: ServerResponse, protocol: Protocol, refusal: Refusal): void {
  sendJson(response, refusal.status, WIRES[protocol].refusal(refusal));
}

/** Answers with a JSON body. */
export function sendJson(response: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}
