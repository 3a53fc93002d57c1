// The runner service's side of the socket: claimers take a seat, and hand over runs that then are the service's alone.
// Used by main.ts.
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { localRunners, type Machine } from '../local-runners.ts';
import {
  InstallationInput,
  OneClaim,
  SEAT_HEADER,
  SeatInput,
  StartInput,
  type Situation,
} from './protocol.ts';
import { seats } from './seats.ts';

/** Work orders hold a task's text and messages. */
const MOST_BYTES = 32 * 1024 * 1024;
/** Agents are installed, sandboxes become possible. */
const LOOK_MS = 10_000;

export interface RunnerServer {
  http: http.Server;
  /** What claimers are told until `open`. */
  refuse(error: AutocodeError): void;
  /** From now on claimers are let in. */
  open(machine: Machine): void;
}

/** A server that does not listen yet. */
export function runnerServer(stop: AbortSignal): RunnerServer {
  const taken = seats();
  let machine: Machine | null = null;
  let settling: Promise<void> = Promise.resolve();
  let whyNot = new AutocodeError('ERR_DAEMON_NOT_RUNNING', 'The runner service is starting.');

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const open = machine;
    if (open === null) throw whyNot;
    const route = `${request.method} ${request.url}`;
    const body = await bodyOf(request);
    if (route === 'PUT /seat') return await sit(open, read(SeatInput, body), response);
    const runners = localRunners(open, taken.workerIn(request.headers[SEAT_HEADER] as string | undefined));
    if (route === 'POST /claims') return send(response, 200, { claimId: await runners.openClaim() });
    if (route === 'DELETE /claims') {
      await runners.closeClaim(read(OneClaim, body).claimId);
      return send(response, 200, {});
    }
    if (route === 'PUT /installation') {
      const { installation } = read(InstallationInput, body);
      // One after the other: what a claimer has started meanwhile is not of the old one.
      settling = settling.catch(() => {}).then(async () => await runners.belongTo(installation));
      await settling;
      return send(response, 200, {});
    }
    if (route === 'POST /runs') {
      const { claimId, order } = read(StartInput, body);
      await runners.start(claimId, order);
      return send(response, 200, await situation(open));
    }
    throw new AutocodeError('ERR_NOT_FOUND', `The runner service has no ${route}.`);
  }

  let last: Situation | null = null;
  async function situation({ pool, abilities }: Machine): Promise<Situation> {
    const found = await abilities();
    const now = { abilities: found, runs: pool.runs(), revision: last?.revision ?? 0 };
    if (!isDeepStrictEqual(now, last)) last = { ...now, revision: now.revision + 1 };
    return last!;
  }

  // The answer stays open: its end, however it comes about, frees the seat.
  async function sit(open: Machine, input: SeatInput, response: ServerResponse): Promise<void> {
    if (response.destroyed) return; // it has hung up meanwhile
    const seat = taken.take(input);
    const gone = new AbortController();
    response.once('close', () => {
      taken.free(seat);
      open.log.info(`claimer ${input.worker} has left`);
      gone.abort();
    });
    open.log.info(`claimer ${input.worker} (version ${input.version}) takes runs for this machine`);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const over = AbortSignal.any([gone.signal, stop]);
    let told: Situation | null = null;
    while (!over.aborted) {
      const now = await situation(open);
      if (now !== told) response.write(`${JSON.stringify({ seat, ...now })}\n`);
      told = now;
      const woken = new AbortController();
      const either = AbortSignal.any([over, woken.signal]);
      await Promise.race([
        open.pool.changed(either),
        delay(LOOK_MS, undefined, { signal: either }).catch(() => {}),
      ]);
      woken.abort();
    }
    response.end();
  }

  const server = http.createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const known = error instanceof AutocodeError ? error : unexpected(error);
      const { code, message, remedy } = known;
      if (!(error instanceof AutocodeError))
        machine?.log.error(`a claimer was not served: ${message}`, { error });
      if (response.headersSent) return response.destroy();
      send(response, known.status, { error: { code, message, ...(remedy === undefined ? {} : { remedy }) } });
    });
  });
  return {
    http: server,
    refuse: (error) => void (whyNot = error),
    open: (opened) => void (machine = opened),
  };
}

function read<T>(schema: z.ZodType<T>, body: string): T {
  try {
    return schema.parse(JSON.parse(body));
  } catch (cause) {
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `The runner service cannot read that: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MOST_BYTES)
      throw new AutocodeError('ERR_BODY_TOO_LARGE', 'That is more than a work order can be.');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function unexpected(cause: unknown): AutocodeError {
  return new AutocodeError('ERR_INTERNAL', (cause as Error).message, { cause });
}
