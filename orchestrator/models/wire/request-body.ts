// Reading a request's body within a limit. Used by the gateway and the recorder.
import type { IncomingMessage } from 'node:http';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { JsonObject } from './json.ts';
import { object, parse } from './json.ts';

const DISCARD_MS = 5_000;

/** All bytes of the body, or ERR_BODY_TOO_LARGE once the client has sent the rest (or 5 s have passed), so that it hears the answer. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let patientUntil = 0;
    // Not by an iterator, which would copy large bodies once more.
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) return void chunks.push(chunk);
      chunks.length = 0;
      patientUntil ||= performance.now() + DISCARD_MS;
      if (performance.now() <= patientUntil) return;
      reject(tooLarge(limit));
      request.destroy();
    });
    request.on('end', () => {
      if (size > limit) return reject(tooLarge(limit));
      resolve(Buffer.concat(chunks, size));
      chunks.length = 0; // the request lives as long as its answer
    });
    request.on('error', reject);
    request.on('close', () => request.complete || reject(new Error('the client has gone')));
  });
}

function tooLarge(limit: number): AutocodeError {
  return new AutocodeError(
    'ERR_BODY_TOO_LARGE',
    `The body is larger than ${Math.floor(limit / 1024 / 1024)} MiB.`,
    { remedy: 'Start a new conversation, or let the agent compact this one.' },
  );
}

/** The body as a JSON object, or ERR_BODY_NOT_JSON. */
export function parseBody(body: Buffer): JsonObject {
  const parsed = parse(body.toString('utf8'));
  if (object(parsed) === parsed) return parsed as JsonObject;
  throw new AutocodeError('ERR_BODY_NOT_JSON', 'The body is not a JSON object.', {
    remedy: 'Send the request as JSON.',
  });
}
