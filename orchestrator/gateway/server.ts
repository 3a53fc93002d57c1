// The model gateway: /v1 for agents with a key per run, and for whoever else has a key. Plain node:http, since every token of every run passes here.
// Started by main.ts in the role `gateway`.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Books } from '../budget/charge.ts';
import { chargeWriter } from '../budget/charge-writer.ts';
import { priceBook } from '../budget/prices.ts';
import { openPurses } from '../budget/purses.ts';
import { noteRefusal } from '../budget/refusals.ts';
import { sweepSlabs } from '../budget/sweep.ts';
import type { Database } from '../db/connect.ts';
import type { Catalogue } from '../models/catalogue.ts';
import { engines } from '../models/engines.ts';
import type { SecretReader } from '../models/engines.ts';
import type { UpstreamTimeouts } from '../models/engine/upstream.ts';
import type { Supervisor } from '../models/supervisor/acquired.ts';
import { refusalOf, sendRefusal } from '../models/wire/refusal.ts';
import type { PromptKeeper } from '../prompts/keeper.ts';
import { callServer } from './call.ts';
import type { Arrived } from './call.ts';
import type { GuardLimits } from './guards.ts';
import { insertCalls } from './ledger.ts';
import { paying } from './paying.ts';
import { upstreams } from './reach.ts';
import { protocolOf, routeOf } from './route.ts';

export interface GatewayOptions {
  host: string;
  port: number | 'auto';
  db: Database;
  catalogue: Catalogue;
  secrets: SecretReader;
  log: Pick<GatewayLog, 'warn' | 'error' | 'debug'>;
  /** Calls that one run may make in a minute. */
  callsPerMinute?: number;
  guards: GuardLimits;
  books: Books;
  /** What a gateway has reserved is charged when it is not heard of for so long; it renews it six times as often. */
  reservationSeconds?: number;
  /** Where prompts are kept of projects that want it. */
  prompts?: Pick<PromptKeeper, 'keep'> | undefined;
  timeouts?: Partial<UpstreamTimeouts>;
  /** Serves the same at a second address, over TLS. */
  serveToo?: ((handle: RequestListener) => Promise<{ stop(patienceMs: number): Promise<void> }>) | undefined;
  /** Who runs the models of the appliance's own, where there are any. */
  supervisor?: Pick<Supervisor, 'acquire'> | undefined;
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

const DRAIN_MS = 5_000;
const RESERVATION_SECONDS = 30;
const RENEWALS = 6;
// Longer than any client keeps an idle connection, so that none sends into one that is being closed.
const KEEP_ALIVE_MS = 75_000;

/** Listens and serves until stopped. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { db, log, books, reservationSeconds = RESERVATION_SECONDS } = options;
  const purses = openPurses(db, books.timeZone);
  const writer = chargeWriter({ db, books, insert: insertCalls });
  const running = new Map<AbortController, Promise<void>>();
  const { secrets, timeouts, supervisor } = options;
  const pools = engines({ secrets, timeouts, supervisor });
  const answer = callServer({
    db,
    catalogue: options.catalogue,
    upstreams: upstreams(pools),
    admit: paying({
      purses,
      writer,
      priceOf: priceBook(db),
      currency: books.currency,
      refused: async (run, words) => await noteRefusal(db, run, words),
    }),
    writer,
    callsPerMinute: options.callsPerMinute ?? 6_000,
    guards: options.guards,
    prompts: options.prompts,
    settled: (record) =>
      log.debug('model call', {
        requestId: record.request,
        run: record.caller.run,
        model: record.modelServed,
        status: record.status,
      }),
  });
  let stopping = false;

  const serve = async (arrived: Arrived) => {
    const { request, response, requestId, signal } = arrived;
    const route = routeOf(request);
    try {
      if (stopping) response.setHeader('connection', 'close');
      await answer(route, arrived);
    } catch (error) {
      if (signal.aborted) return void response.destroy();
      const refusal = refusalOf(error, requestId);
      if (refusal.status >= 500) log.warn('a model call failed', { requestId, code: refusal.code, error });
      sendRefusal(response, protocolOf(route, request), refusal);
      request.resume();
    }
  };

  const handle: RequestListener = (request, response) => {
    const requestId = randomUUID();
    response.setHeader('x-request-id', requestId);
    const gone = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    request.on('error', () => gone.abort());
    const done = serve({ request, response, requestId, signal: gone.signal })
      .catch((error: unknown) => {
        log.error('a request to the gateway failed', { requestId, error });
        response.destroy();
      })
      .finally(() => running.delete(gone));
    running.set(gone, done);
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, handle);

  const port = await listen(server, options);
  const second = await options.serveToo?.(handle).catch((error: unknown) => {
    server.close();
    throw error;
  });
  const tended = tend(
    async () => {
      await purses.tend();
      await sweepSlabs(db, books, reservationSeconds);
    },
    (reservationSeconds * 1000) / RENEWALS,
    (error) => log.warn('slabs could not be tended', { error }),
  );
  return {
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    port,
    async stop() {
      stopping = true;
      const closed = server.listening ? once(server, 'close') : undefined;
      server.close();
      server.closeIdleConnections();
      const secondClosed = second?.stop(DRAIN_MS);
      const patience = new AbortController();
      const all = Promise.all(running.values());
      await Promise.race([all, delay(DRAIN_MS, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
      for (const call of running.keys()) call.abort();
      await Promise.all(running.values());
      server.closeAllConnections();
      await Promise.all([closed, secondClosed]);
      await pools.close();
      tended.stop();
      await writer.drained();
      await purses.close().catch((error: unknown) => log.warn('slabs are left to be charged', { error }));
    },
  };
}

/** Does something every so often, one at a time. */
function tend(
  work: () => Promise<void>,
  everyMs: number,
  failed: (error: unknown) => void,
): { stop(): void } {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void work()
      .catch(failed)
      .finally(() => (busy = false));
  }, everyMs);
  return { stop: () => clearInterval(timer) };
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
