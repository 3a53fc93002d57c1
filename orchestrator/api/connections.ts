// What happens below the routes: requests that are not HTTP, bodies that do not come, connections that do not end.
// Used by server.ts.
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { AutocodeError } from '../../protocol/errors.ts';
import { errorBody } from './errors.ts';

/** Open streams and downloads have this long to end by themselves when the daemon stops. */
export const CLOSE_MS = 1_000;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is as long as it is, and may take as long as it takes: git's. */
    streamsBody?: boolean;
  }
}

/** Answers 408 when the body of a request is not there in time. */
export function limitBodyTime(app: FastifyInstance, seconds: number): void {
  app.addHook('preParsing', async (request, _reply, body) => {
    const { headers, raw, routeOptions } = request;
    const none = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
    if (none || routeOptions.config.streamsBody === true) return;
    const late = setTimeout(() => {
      // Told to who reads the body, who answers; destroying it would close the connection without an answer.
      if (body.listenerCount('error') > 0) body.emit('error', tooSlow(seconds));
    }, seconds * 1000).unref();
    for (const event of ['end', 'close']) raw.once(event, () => clearTimeout(late));
  });
}

function tooSlow(seconds: number): AutocodeError {
  return new AutocodeError(
    'ERR_REQUEST_TIMEOUT',
    `The body of the request was not there after ${seconds} s.`,
    {
      remedy:
        'Send it again, on a connection that is fast enough; api.bodySeconds in the configuration is the limit.',
    },
  );
}

/** Answers what is not HTTP, or has headers without end, in the one shape of errors; then hangs up. */
export function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const refused =
    REFUSALS[error.code ?? ''] ?? new AutocodeError('ERR_INVALID_INPUT', 'The request is not HTTP.');
  const body = JSON.stringify(errorBody(refused, randomUUID()));
  socket.end(
    `HTTP/1.1 ${refused.status} ${STATUS_CODES[refused.status]}\r\nconnection: close\r\n` +
      `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

const REFUSALS: Record<string, AutocodeError> = {
  HPE_HEADER_OVERFLOW: new AutocodeError(
    'ERR_HEADERS_TOO_LARGE',
    'The headers of the request are longer than 16 KiB.',
    { remedy: 'Send fewer or shorter ones.' },
  ),
  ERR_HTTP_REQUEST_TIMEOUT: new AutocodeError(
    'ERR_REQUEST_TIMEOUT',
    'The headers of the request did not come in time.',
  ),
};

/** Stops the server; whoever does not read what was sent to him is cut off after a second. */
export async function closeServer(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}
