// A far side over real HTTP, for tests of gateway and recorder: it answers as each test says and tells what it saw.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** Settles when the client's end of the connection is gone or the answer is sent. */
  closed: Promise<unknown>;
}

export interface FakeEngine extends AsyncDisposable {
  url: string;
  seen: Seen[];
  /** How the next requests are answered. */
  answers(answer: (response: ServerResponse, seen: Seen) => void | Promise<void>): void;
}

/** Starts the engine on a free port. */
export async function fakeEngine(): Promise<FakeEngine> {
  const seen: Seen[] = [];
  let answer: (response: ServerResponse, seen: Seen) => void | Promise<void> = (response) =>
    void response.writeHead(500).end();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const closed = once(response, 'close');
    const arrived = {
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
      closed,
    };
    seen.push(arrived);
    await answer(response, arrived);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answers: (next) => void (answer = next),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Sends the text as an event stream, in one piece. */
export function sendStream(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
}

/** Sends a JSON body. */
export function sendBody(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
