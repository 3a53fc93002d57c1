// The way from the sandbox to the egress proxy: a unix socket of the run that is a proxy itself. It hands each request on with the
// run's identity, which the sandbox never has; whatever identity came from inside is left out. Used by the runner.
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { rm } from 'node:fs/promises';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

export interface EgressRelayOptions {
  /** Address of the proxy. */
  url: string;
  /** The run's identity there. */
  token: string;
  socket: string;
  /** Longest wait for a proxy that is away (a restart), before the program inside is told. */
  patienceMs?: number;
}

const PATIENCE_MS = 10_000;
const RETRY_MS = 250;
const LONGEST_HEADERS_MS = 60_000;
/** Of this connection alone, or nothing that a sandbox says. */
const LEFT_OUT = new Set([
  'proxy-authorization',
  'proxy-connection',
  'proxy-authenticate',
  'connection',
  'keep-alive',
]);
const TARGET = /^[\w.:[\]-]+:\d{1,5}$/;

/** Listens until closed. */
export async function startEgressRelay(options: EgressRelayOptions): Promise<{ close(): Promise<void> }> {
  await rm(options.socket, { force: true });
  const open = new Set<Duplex>();
  const server = http.createServer({ requestTimeout: 0, headersTimeout: LONGEST_HEADERS_MS });
  const identity = `Basic ${Buffer.from(`run:${options.token}`).toString('base64')}`;
  server.on('connection', (socket: Duplex) => keep(open, socket));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    forward(request, response, options, identity).catch((error: Error) => {
      if (response.headersSent) response.destroy();
      else if (!response.destroyed) response.writeHead(502, PLAIN).end(away(error));
    });
  });
  for (const event of ['connect', 'upgrade'] as const) {
    server.on(event, (request: IncomingMessage, near: Duplex, head: Buffer) => {
      splice(request, near, head, options, identity, open).catch((error: Error) => {
        near.end(
          `HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${away(error)}`,
        );
      });
    });
  }
  server.listen(options.socket);
  await once(server, 'listening');
  return {
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await rm(options.socket, { force: true });
    },
  };
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8', connection: 'close' };

const away = ({ message }: Error) => `The egress proxy cannot be reached: ${message}\n`;

// One request in absolute form.
async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  options: EgressRelayOptions,
  identity: string,
): Promise<void> {
  const url = request.url ?? '';
  if (!/^http:\/\//i.test(url)) {
    response.writeHead(400, PLAIN).end('This is a proxy: ask for http://… or CONNECT.\n');
    return;
  }
  const far = await reach(options);
  response.once('close', () => far.destroy());
  const sent = http.request({
    createConnection: () => far,
    method: request.method ?? 'GET',
    path: url,
    headers: [...withoutOwn(request.rawHeaders), 'Proxy-Authorization', identity, 'Connection', 'close'],
  });
  sent.on('error', () => {}); // also one that comes after the answer has begun
  const body = pipeline(request, sent);
  body.catch(() => {}); // an answer may come before the whole was sent
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const headers = withoutOwn(answer.rawHeaders, ['transfer-encoding']);
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
  response.flushHeaders();
  await pipeline(answer, response);
}

// A tunnel, or an upgrade of a request in absolute form: from here on bytes are bytes, the proxy's answer among them.
async function splice(
  request: IncomingMessage,
  near: Duplex,
  head: Buffer,
  options: EgressRelayOptions,
  identity: string,
  open: Set<Duplex>,
): Promise<void> {
  const target = request.url ?? '';
  near.on('error', () => {});
  if (request.method === 'CONNECT' ? !TARGET.test(target) : !/^http:\/\/[!-~]+$/i.test(target)) {
    near.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    return;
  }
  const far = await reach(options);
  keep(open, far);
  const own = request.method === 'CONNECT' ? ['Host', target] : withoutOwn(request.rawHeaders);
  const lines = [...pairs(own), `Proxy-Authorization: ${identity}`];
  if (request.method !== 'CONNECT') lines.push('Connection: Upgrade');
  far.write(`${request.method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  if (head.length > 0) far.write(head);
  near.pipe(far).pipe(near);
  near.once('close', () => far.destroy());
  far.once('close', () => near.destroy());
}

/** A connection to the proxy, which may be about to come back. */
async function reach({ url, patienceMs = PATIENCE_MS }: EgressRelayOptions): Promise<net.Socket> {
  const { hostname, port } = new URL(url);
  const giveUp = performance.now() + patienceMs;
  for (;;) {
    const socket = net.connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 80),
      noDelay: true,
    });
    try {
      await once(socket, 'connect');
      socket.on('error', () => {});
      return socket;
    } catch (error) {
      socket.destroy();
      if (performance.now() > giveUp) throw error;
      await delay(RETRY_MS);
    }
  }
}

function keep(open: Set<Duplex>, socket: Duplex): void {
  open.add(socket);
  socket.on('error', () => {}).once('close', () => open.delete(socket));
}

/** Names and values in turn, without those that belong to a connection, or to the proxy. */
function withoutOwn(raw: string[], more: string[] = []): string[] {
  return raw.flatMap((name, index) => {
    const left = LEFT_OUT.has(name.toLowerCase()) || more.includes(name.toLowerCase());
    return index % 2 === 1 || left ? [] : [name, raw[index + 1] ?? ''];
  });
}

function pairs(raw: string[]): string[] {
  return raw.flatMap((name, index) => (index % 2 === 1 ? [] : [`${name}: ${raw[index + 1] ?? ''}`]));
}
