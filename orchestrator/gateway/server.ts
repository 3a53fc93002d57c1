// The model gateway: /v1 for agents, with a key per run. Plain node:http, since every token of every run passes here.
// Started by main.ts in the role `gateway`.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';
import type { Catalogue } from '../models/catalogue.ts';
import { engines } from '../models/engines.ts';
import type { SecretReader } from '../models/engines.ts';
import type { UpstreamTimeouts } from '../models/engine/upstream.ts';
import { string } from '../models/wire/json.ts';
import { refusalOf, sendJson, sendRefusal } from '../models/wire/refusal.ts';
import { parseBody, readBody } from '../models/wire/request-body.ts';
import { callLimit } from './call-limit.ts';
import { exchange } from './exchange.ts';
import { gatewayKeys } from './keys.ts';
import { recordCall } from './ledger.ts';
import type { CallRecord } from './ledger.ts';
import { keyOf, modelList, notServed, notSpoken, routeOf } from './route.ts';

export interface GatewayOptions {
  host: string;
  port: number | 'auto';
  db: Queryable;
  catalogue: Catalogue;
  secrets: SecretReader;
  log: Pick<GatewayLog, 'warn' | 'error' | 'debug'>;
  /** Calls that one run may make in a minute. */
  callsPerMinute?: number;
  timeouts?: Partial<UpstreamTimeouts>;
}

interface GatewayLog {
  debug(message: string, fields: object): void;
  warn(message: string, fields: object): void;
  error(message: string, fields: object): void;
}

export interface Gateway {
  url: string;
  port: number;
  /** Takes no more calls, lets running ones end for 5 s, then cuts and records them. */
  stop(): Promise<void>;
}

const BODY_LIMIT = 50 * 1024 * 1024;
const DRAIN_MS = 5_000;
// Longer than any client keeps an idle connection, so that none sends into one that is being closed.
const KEEP_ALIVE_MS = 75_000;

/** Listens and serves until stopped. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { db, catalogue, log } = options;
  const running = new Map<AbortController, Promise<void>>();
  const pools = engines(options.secrets, options.timeouts);
  const identify = gatewayKeys(db);
  const limit = callLimit(options.callsPerMinute ?? 6_000);
  let stopping = false;

  const settle = async (record: CallRecord) => {
    await recordCall(db, record).catch((error: unknown) => {
      // With all its figures: this line is then the only record of the money.
      log.error('a model call could not be recorded', { ...record, error });
      throw error;
    });
    log.debug('model call', {
      requestId: record.request,
      run: record.caller.run,
      model: record.modelServed,
      status: record.status,
    });
  };

  const serve = async (
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    signal: AbortSignal,
  ) => {
    const route = routeOf(request);
    try {
      if (stopping) response.setHeader('connection', 'close');
      const caller = await identify(keyOf(request));
      if (route === undefined) throw notServed(request);
      if (route === 'models') return sendJson(response, 200, modelList(catalogue));
      limit(caller.run);
      const body = await readBody(request, BODY_LIMIT);
      const json = parseBody(body);
      const modelAsked = string(json.model);
      const model = catalogue.resolve(
        modelAsked === '' || modelAsked === 'default' ? caller.model : modelAsked,
      );
      if (!model.protocols.includes(route.protocol))
        throw notSpoken(model.engine, model.protocols, route.protocol);
      const engine = pools.of(model.serves);
      await exchange(
        { requestId, caller, ...route, model, modelAsked, engine, body, json, request, response, signal },
        settle,
      );
    } catch (error) {
      if (signal.aborted) return void response.destroy();
      const refusal = refusalOf(error, requestId);
      if (refusal.status >= 500) log.warn('a model call failed', { requestId, code: refusal.code, error });
      sendRefusal(response, route === undefined || route === 'models' ? 'chat' : route.protocol, refusal);
      request.resume();
    }
  };

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const requestId = randomUUID();
    response.setHeader('x-request-id', requestId);
    const gone = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    request.on('error', () => gone.abort());
    const done = serve(request, response, requestId, gone.signal)
      .catch((error: unknown) => {
        log.error('a request to the gateway failed', { requestId, error });
        response.destroy();
      })
      .finally(() => running.delete(gone));
    running.set(gone, done);
  });

  const port = await listen(server, options);
  return {
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    port,
    async stop() {
      stopping = true;
      const closed = server.listening ? once(server, 'close') : undefined;
      server.close();
      server.closeIdleConnections();
      const patience = new AbortController();
      const all = Promise.all(running.values());
      await Promise.race([all, delay(DRAIN_MS, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
      for (const call of running.keys()) call.abort();
      await Promise.all(running.values());
      server.closeAllConnections();
      await closed;
      await pools.close();
    },
  };
}

async function listen(
  server: ReturnType<typeof createServer>,
  { host, port }: GatewayOptions,
): Promise<number> {
  server.listen(port === 'auto' ? 0 : port, host);
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EADDRINUSE') throw cause;
    throw new AutocodeError('ERR_PORT_TAKEN', `The gateway's port ${port} on ${host} is taken.`, {
      remedy: 'Stop what uses it, or set gateway.port to another one or to auto.',
      cause,
    });
  });
  return (server.address() as AddressInfo).port;
}
