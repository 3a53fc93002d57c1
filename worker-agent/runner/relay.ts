// The way from the sandbox to the model gateway: a unix socket of the run, and for isolation `directory` a port on 127.0.0.1 too.
// It forwards /v1/* only and adds the gateway key, which the agent therefore never sees. Used by the runner.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import https from 'node:https';
import { rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { tlsFailure } from '../../protocol/tls-failure.ts';

export interface RelayOptions {
  gatewayUrl: string;
  /** What is trusted there instead of the system's authorities. */
  ca?: string | undefined;
  gatewayKey: string;
  socket: string;
  /** Longest wait for a gateway that is away (a restart), before the agent is told. */
  patienceMs?: number;
}

export interface Relay {
  /** Base address on 127.0.0.1, without /v1. Its path is a secret of the run: other users of the machine cannot spend with it. */
  url: string;
  close(): Promise<void>;
}

const LONGEST_BODY = 64 * 1024 * 1024;
const PATIENCE_MS = 60_000;
const RETRY_MS = 250;
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
];
const GATEWAY_AWAY = /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EHOSTUNREACH|ETIMEDOUT|EAI_AGAIN)$/;

/** Listens on both until closed. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const prefix = `/${randomBytes(16).toString('hex')}`;
  await rm(options.socket, { force: true });
  const inside = http.createServer(forward('', options));
  const outside = http.createServer(forward(prefix, options));
  inside.listen(options.socket);
  outside.listen(0, '127.0.0.1');
  await Promise.all([once(inside, 'listening'), once(outside, 'listening')]);
  return {
    url: `http://127.0.0.1:${(outside.address() as AddressInfo).port}${prefix}`,
    async close() {
      for (const server of [inside, outside]) {
        server.close();
        server.closeAllConnections();
      }
      await rm(options.socket, { force: true });
    },
  };
}

function forward(prefix: string, options: RelayOptions): RequestListener {
  return (request, response) => {
    const path = allowedPath(prefix, request.url ?? '/');
    if (path === null) return refuse(response, 404, 'This address serves /v1/* of the model gateway only.');
    relay(request, response, path, options).catch((error: Error) => {
      if (response.headersSent) response.destroy();
      else {
        const { message } = tlsFailure(options.gatewayUrl, error) ?? error;
        refuse(response, 502, `The model gateway cannot be reached: ${message}`);
      }
    });
  };
}

/** The path to ask the gateway for, or null. Dots are resolved first, so that none leads out of /v1/. */
export function allowedPath(prefix: string, url: string): string | null {
  if (!url.startsWith(`${prefix}/`)) return null;
  const { pathname, search } = new URL(`http://gateway${url.slice(prefix.length)}`);
  return pathname.startsWith('/v1/') && !/%2f|%5c|\\/i.test(pathname) ? pathname + search : null;
}

async function relay(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  options: RelayOptions,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const body = await readBody(request);
  if (body === null) return refuse(response, 413, `The request is longer than ${LONGEST_BODY} bytes.`);
  const answer = await ask(path, request, body, options, gone.signal);
  response.writeHead(answer.statusCode ?? 502, withoutHopByHop(answer.headers));
  response.flushHeaders();
  answer.pipe(response);
  answer.once('error', () => response.destroy()); // cut off in mid-answer: the agent must not take it for a whole one
  answer.once('aborted', () => response.destroy());
}

// Models are asked with whole JSON documents: holding one lets the question be put again after a restart of the gateway.
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > LONGEST_BODY) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function ask(
  path: string,
  request: IncomingMessage,
  body: Buffer,
  options: RelayOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = new URL(options.gatewayUrl.replace(/\/+$/, '') + path);
  const headers = {
    ...withoutHopByHop(request.headers),
    authorization: `Bearer ${options.gatewayKey}`,
    'content-length': body.length,
  };
  const client = url.protocol === 'https:' ? https : http;
  const giveUp = performance.now() + (options.patienceMs ?? PATIENCE_MS);
  for (;;) {
    try {
      const sent = client.request(url, {
        method: request.method ?? 'GET',
        headers,
        signal,
        agent: false,
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      });
      sent.end(body);
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      sent.on('error', () => {}); // the answer has its own
      return answer;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (signal.aborted || !GATEWAY_AWAY.test(code) || performance.now() > giveUp) throw error;
      await delay(RETRY_MS, undefined, { signal });
    }
  }
}

function withoutHopByHop(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  const dropped = new Set([...HOP_BY_HOP, 'authorization', 'x-api-key']);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}

// The body has the shape of both families of clients: `error.message` is where each of them looks.
function refuse(response: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify({
    type: 'error',
    error: { type: 'relay_error', code: 'relay_error', message },
  });
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(body);
}
