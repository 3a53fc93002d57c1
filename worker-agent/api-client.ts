// HTTP to the orchestrator: one typed call, and the patience that outlasts its restart. Used by the claimer and the runner.
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import got, { type Method } from 'got';
import type { z } from 'zod';
import { AutocodeError, ErrorBody, errorFromBody } from '../protocol/errors.ts';

export interface Call<T> {
  method: Method;
  /** Under /api/v1, as `/workers/w1/claim`. */
  path: string;
  answer: z.ZodType<T>;
  json?: unknown;
  /** Bytes instead of JSON; `gzip` tells that they are compressed. */
  bytes?: { body: Uint8Array; gzip: boolean };
  /** Longest time without an answer. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** One attempt. Throws AutocodeError: the orchestrator's own, or ERR_DAEMON_NOT_RUNNING when it does not answer. */
export type Api = <T>(call: Call<T>) => Promise<T>;

const CONNECT_MS = 5_000;
const ANSWER_MS = 30_000;
const LONGEST_PAUSE_MS = 5_000;

/** A client for one address and one token. */
export function apiClient({ url, token }: { url: string; token: string }): Api {
  const agent = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
  const base = `${url.replace(/\/+$/, '')}/api/v1`;
  return async ({ method, path, answer, json, bytes, timeoutMs = ANSWER_MS, signal }) => {
    const response = await got(base + path, {
      method,
      agent,
      headers: {
        authorization: `Bearer ${token}`,
        ...(bytes ? { 'content-type': 'application/octet-stream' } : {}),
        ...(bytes?.gzip ? { 'content-encoding': 'gzip' } : {}),
      },
      ...(json === undefined ? {} : { json }),
      ...(bytes ? { body: bytes.body } : {}),
      ...(signal ? { signal } : {}),
      timeout: { connect: CONNECT_MS, secureConnect: CONNECT_MS, request: timeoutMs },
      retry: { limit: 0 },
      throwHttpErrors: false,
      followRedirect: false,
    }).catch((cause: Error) => {
      signal?.throwIfAborted();
      throw new AutocodeError('ERR_DAEMON_NOT_RUNNING', `The orchestrator at ${url} does not answer: ${cause.message}`, {
        remedy: 'It is asked again until it does.',
        cause,
      });
    });
    if (response.statusCode >= 400) throw refusal(response.statusCode, response.body);
    return answer.parse(response.body === '' ? null : JSON.parse(response.body));
  };
}

function refusal(status: number, text: string): AutocodeError {
  try {
    return errorFromBody(ErrorBody.parse(JSON.parse(text)), status);
  } catch {
    // Not ours: a proxy between us and the orchestrator.
    const code = status === 401 ? 'ERR_UNAUTHENTICATED' : status < 500 ? 'ERR_INVALID_INPUT' : 'ERR_DAEMON_NOT_RUNNING';
    return new AutocodeError(code, `The orchestrator answered ${status}: ${text.slice(0, 200)}`);
  }
}

/** True when the orchestrator is away or busy, so that the same call may succeed later. */
export function isAway(error: unknown): boolean {
  return error instanceof AutocodeError && (error.status >= 500 || error.status === 429);
}

/** Repeats an idempotent call while the orchestrator is away, with growing, jittered pauses, until the signal aborts. */
export async function untilAnswered<T>(attempt: () => Promise<T>, signal: AbortSignal, away: (error: unknown) => boolean = isAway): Promise<T> {
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
