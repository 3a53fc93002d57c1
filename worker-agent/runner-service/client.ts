// A claimer's side of the runner service's socket: the seat, taken again when the service was started anew, and the runners.
// Used by main.ts of the worker.
import { EventEmitter, once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError, ErrorBody, errorFromBody } from '../../protocol/errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { isAway } from '../api-client.ts';
import type { Runners } from '../runners.ts';
import { OneClaim, RUNNER_PROTOCOL, SEAT_HEADER, SeatLine, Situation, type SeatInput } from './protocol.ts';

const ANSWER_MS = 60_000;
/** For the service to start. */
const ABSENT_MS = 10_000;
/** For the claimer before this one to end. */
const REFUSED_MS = 3_000;
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** The runners of the service at a socket. `kept` ends with the signal, and fails when another claimer has the machine. */
export async function takeSeat(
  socket: string,
  who: Omit<SeatInput, 'protocol'>,
  log: Log,
  signal: AbortSignal,
): Promise<{ runners: Runners; kept: Promise<void> }> {
  const events = new EventEmitter();
  let seat: string | null = null;
  let situation: Situation | null = null;

  function heard(news: Situation): void {
    if (situation !== null && news.revision < situation.revision) return;
    situation = news;
    events.emit('changed');
  }

  // The seat is this connection. It ends with the process, and not before: what is claimed at the end is still handed over.
  async function sit(): Promise<void> {
    const response = await exchange(
      socket,
      { method: 'PUT', path: '/seat' },
      { ...who, protocol: RUNNER_PROTOCOL },
    );
    try {
      for await (const line of linesOf(response)) {
        const { seat: given, ...news } = SeatLine.parse(JSON.parse(line));
        if (seat === null) situation = null; // a service that was started anew counts anew
        seat = given;
        heard(news);
      }
    } finally {
      seat = null;
    }
  }

  async function keepSeat(): Promise<void> {
    let well = performance.now();
    for (let pause = SHORTEST_PAUSE_MS; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const before = situation;
      const error: unknown = await Promise.race([sit(), aborted(signal)]).catch((reason: unknown) => reason);
      if (signal.aborted) return;
      if (situation !== before) {
        pause = SHORTEST_PAUSE_MS;
        well = performance.now();
        log.warn('the runner service has ended the connection; it is asked for again');
      } else {
        const since = performance.now() - well;
        if (isAway(error) ? before === null && since > ABSENT_MS : since > REFUSED_MS) throw error;
      }
      await delay(pause, undefined, { signal }).catch(() => {});
    }
  }

  async function call<T>(method: string, path: string, body: object, answer: z.ZodType<T>): Promise<T> {
    const headers = seat === null ? {} : { [SEAT_HEADER]: seat };
    const response = await exchange(socket, { method, path, headers, timeout: ANSWER_MS }, body);
    return answer.parse(JSON.parse(await text(response)));
  }

  const kept = keepSeat();
  kept.catch(() => {}); // whoever waits for it is told
  while (situation === null && !signal.aborted)
    await Promise.race([once(events, 'changed'), aborted(signal), kept]);
  signal.throwIfAborted();
  const runners: Runners = {
    abilities: () => Promise.resolve(situation!.abilities),
    runs: () => situation!.runs,
    changed: async (stop) => void (await once(events, 'changed', { signal: stop }).catch(() => {})),
    openClaim: async () => (await call('POST', '/claims', {}, OneClaim)).claimId,
    closeClaim: async (claimId) => void (await call('DELETE', '/claims', { claimId }, z.object({}))),
    start: async (claimId, order) => heard(await call('POST', '/runs', { claimId, order }, Situation)),
    belongTo: async (installation) =>
      void (await call('PUT', '/installation', { installation }, z.object({}))),
  };
  return { runners, kept };
}

/** One request; the answer as it begins. Throws what the service refuses, or ERR_DAEMON_NOT_RUNNING when it is not there. */
async function exchange(
  socketPath: string,
  options: { method: string; path: string; headers?: Record<string, string>; timeout?: number },
  body: object,
): Promise<IncomingMessage> {
  const content = JSON.stringify(body);
  const request = http.request({
    ...options,
    socketPath,
    agent: false,
    headers: {
      ...options.headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(content),
    },
  });
  request.once('timeout', () => request.destroy(new Error(`nothing within ${ANSWER_MS / 1000} s`)));
  request.end(content);
  let response: IncomingMessage;
  try {
    [response] = (await once(request, 'response')) as [IncomingMessage];
  } catch (cause) {
    throw isNotThere(socketPath, cause as NodeJS.ErrnoException);
  }
  request.on('error', () => {}); // the answer tells its own
  if (response.statusCode === 200) return response;
  const refusal = ErrorBody.parse(JSON.parse(await text(response)));
  throw errorFromBody(refusal, response.statusCode ?? 500);
}

function isNotThere(socket: string, cause: NodeJS.ErrnoException): AutocodeError {
  const remedy =
    cause.code === 'EACCES'
      ? 'Only root and the group autocode may use it: run the claimer as one of them.'
      : 'On its machine: `systemctl status autocode-runner`; it comes with `sudo ./scripts/install.sh --runner`.';
  return new AutocodeError(
    'ERR_DAEMON_NOT_RUNNING',
    `The runner service at ${socket} does not answer: ${cause.message}.`,
    { remedy, cause },
  );
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of response.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
