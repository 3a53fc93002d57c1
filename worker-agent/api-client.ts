// HTTP to the orchestrator: one typed call, and the patience that outlasts its restart. Used by the claimer and the runner.
// On node:http and no client library: an idle worker is to stay small.
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { AutocodeError, ErrorBody, errorFromBody } from '../protocol/errors.ts';
import { tlsFailure } from '../protocol/tls-failure.ts';

export interface Call<T> {
  method: 'GET' | 'POST' | 'PUT';
  /** Under /api/v1, as `/workers/w1/claim`. */
  path: string;
  answer: z.ZodType<T>;
  json?: unknown;
  /** Bytes, compressed with gzip, instead of JSON. */
  gzip?: Uint8Array;
  /** Longest time until the whole answer is there. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** One attempt. Throws AutocodeError: the orchestrator's own, or ERR_DAEMON_NOT_RUNNING when it does not answer. */
export type Api = <T>(call: Call<T>) => Promise<T>;

const ANSWER_MS = 30_000;
const LONGEST_PAUSE_MS = 5_000;

/** A client for one address and one token; `ca` is what it trusts instead of the system's authorities. */
export function apiClient({ url, token, ca }: { url: string; token: string; ca?: string | undefined }): Api {
  const client = url.startsWith('https:') ? https : http;
  const agent = new client.Agent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) });
  const base = `${url.replace(/\/+$/, '')}/api/v1`;

  async function exchange(
    call: Call<unknown>,
    signal: AbortSignal,
  ): Promise<{ status: number; text: string }> {
    const body =
      call.gzip ?? (call.json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(call.json)));
    const type = call.gzip
      ? { 'content-type': 'application/octet-stream', 'content-encoding': 'gzip' }
      : { 'content-type': 'application/json' };
    const request = client.request(base + call.path, {
      method: call.method,
      agent,
      signal,
      headers: {
        authorization: `Bearer ${token}`,
        ...(call.method === 'GET' ? {} : { ...type, 'content-length': body.length }),
      },
    });
    request.end(call.method === 'GET' ? undefined : body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => {}); // the answer tells its own
    return { status: response.statusCode ?? 500, text: (await buffer(response)).toString() };
  }

  return async (call) => {
    const { timeoutMs = ANSWER_MS, signal, answer } = call;
    const limit = AbortSignal.timeout(timeoutMs);
    const response = await exchange(call, signal ? AbortSignal.any([signal, limit]) : limit).catch(
      (cause: Error) => {
        signal?.throwIfAborted();
        const refused = tlsFailure(url, cause);
        if (refused !== undefined) throw refused;
        const why = limit.aborted ? `nothing within ${timeoutMs / 1000} s` : cause.message;
        throw new AutocodeError(
          'ERR_DAEMON_NOT_RUNNING',
          `The orchestrator at ${url} does not answer: ${why}`,
          { cause },
        );
      },
    );
    if (response.status >= 400) throw refusal(response.status, response.text);
    return answer.parse(documentOf(response.text, url));
  };
}

// Whoever answers with something else than JSON is not the orchestrator: another program on its port while it is away.
function documentOf(text: string, url: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch (cause) {
    throw new AutocodeError('ERR_DAEMON_NOT_RUNNING', `What answers at ${url} is not the orchestrator.`, {
      cause,
    });
  }
}

function refusal(status: number, text: string): AutocodeError {
  try {
    return errorFromBody(ErrorBody.parse(JSON.parse(text)), status);
  } catch {
    // Not ours: a proxy between us and the orchestrator.
    const code =
      status === 401 ? 'ERR_UNAUTHENTICATED' : status < 500 ? 'ERR_INVALID_INPUT' : 'ERR_DAEMON_NOT_RUNNING';
    return new AutocodeError(code, `The orchestrator answered ${status}: ${text.slice(0, 200)}`);
  }
}

/** Bytes of the orchestrator as they come, without a time limit but the signal's; throws as a call does. */
export async function download(
  { url, token, ca }: { url: string; token: string; ca?: string | undefined },
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const client = url.startsWith('https:') ? https : http;
  const request = client.get(`${url.replace(/\/+$/, '')}/api/v1${path}`, {
    signal,
    headers: { authorization: `Bearer ${token}` },
    ...(ca === undefined ? {} : { ca }),
  });
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => {}); // the answer tells its own
    const { statusCode = 500 } = response;
    if (statusCode === 200) return response;
    throw refusal(statusCode, (await buffer(response)).toString());
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof AutocodeError) throw cause;
    const words = `The orchestrator at ${url} does not answer: ${(cause as Error).message}`;
    throw tlsFailure(url, cause) ?? new AutocodeError('ERR_DAEMON_NOT_RUNNING', words, { cause });
  }
}

/** True when the orchestrator is away or busy, so that the same call may succeed later. */
export function isAway(error: unknown): boolean {
  return error instanceof AutocodeError && (error.status >= 500 || error.status === 429);
}

/** Repeats an idempotent call while the orchestrator is away, with growing, jittered pauses, until the signal aborts. */
export async function untilAnswered<T>(
  attempt: () => Promise<T>,
  signal: AbortSignal,
  away: (error: unknown) => boolean = isAway,
): Promise<T> {
  for (let pause = 100; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!away(error)) throw error;
    }
    await delay(pause * (0.5 + Math.random()), undefined, { signal });
  }
}
