// A server between a client of SQS and its queues, which sees what is asked, and can be away. Used by the tests of queues.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Forwarder {
  url: string;
  /** Names of what was asked, as `ReceiveMessage`, in order. */
  asked: string[];
  /** While true, connections are broken off. */
  away: boolean;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a server that passes everything on to `to`. */
export async function startForwarder(to: string): Promise<Forwarder> {
  const asked: string[] = [];
  const forwarder = { asked, away: false };
  const server = createServer((request, response) => {
    if (forwarder.away) return void request.socket.destroy();
    asked.push(String(request.headers['x-amz-target']).replace(/^.*\./, ''));
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const forward = async () => {
      const body = Buffer.concat(await request.toArray());
      const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
      const answer = await fetch(to + request.url, {
        method: 'POST',
        headers: headers as Record<string, string>,
        body,
        signal: gone.signal,
      });
      const bytes = Buffer.from(await answer.arrayBuffer());
      response.writeHead(answer.status, {
        'content-type': answer.headers.get('content-type') ?? 'text/plain',
      });
      response.end(bytes);
    };
    forward().catch(() => request.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(forwarder, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  });
}
