// Requests to Nomad's API: its token, its authority, its namespace, time-outs on all, blocking queries, and what is read
// checked. Used by client.ts and events.ts; refusals as errors: refusal.ts.
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import got, { type Got } from 'got';
import type { z } from 'zod';
import { refusal, strange, unreachable } from './refusal.ts';

export interface Connection {
  address: string;
  namespace: string;
  /** Of the ACL; asked for with each request, so that a new one counts at once. */
  token(): Promise<string>;
  /** Certificate of the authority, as a PEM file. */
  caFile?: string | undefined;
}

/** When to answer: once something has changed since `index`, or after so many seconds. */
export interface WaitFor {
  index: number;
  seconds: number;
  signal?: AbortSignal | undefined;
}

/** An answer and the index at which it was so. */
export interface Waited<T> {
  value: T;
  index: number;
}

export interface Asked {
  /** What of the ACL is needed, as `submit-job` of a namespace or `node:read`. */
  needs: string;
  query?: Record<string, string | number | boolean | string[]>;
  body?: object | undefined;
  wait?: WaitFor | undefined;
  signal?: AbortSignal | undefined;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface NomadApi {
  ask<S extends z.ZodType>(
    method: Method,
    path: string,
    answer: S,
    asked: Asked,
  ): Promise<Waited<z.output<S>>>;
  /** The bytes of an answer without end; it is closed with the signal. */
  stream(path: string, asked: Asked): Promise<Readable>;
}

const TIMEOUT = { lookup: 5_000, connect: 5_000, secureConnect: 5_000, send: 30_000 };
const ANSWER_MS = 30_000;
const WAIT_SHARE = 1 / 16; // Nomad adds so much to a wait, that not all end at once
const RETRIES = 2;

/** Makes the requests of one cluster and one token. */
export function nomadApi(connection: Connection): NomadApi {
  let client: Promise<Got> | undefined;

  // A file that was not there at first may be there later.
  const prepared = async (): Promise<Got> => {
    client ??= prepare(connection);
    client.catch(() => (client = undefined));
    return await client;
  };
  const headers = async () => ({ 'x-nomad-token': await connection.token() });

  // Nomad says the same of a token that may not and of one that it does not know.
  const refused = async (
    http: Got,
    method: Method,
    path: string,
    { needs }: Asked,
    { statusCode, body }: { statusCode: number; body: string },
  ): Promise<Error> => {
    const own = { headers: await headers(), timeout: { request: ANSWER_MS }, retry: { limit: 0 } };
    const known = statusCode !== 403 || (await http('acl/token/self', own)).statusCode < 400;
    return refusal({ address: connection.address, method, path, needs }, statusCode, body, known);
  };

  return {
    async ask(method, path, answer, asked) {
      const http = await prepared();
      const waitMs = (asked.wait?.seconds ?? 0) * 1000;
      const signal = asked.signal ?? asked.wait?.signal;
      const response = await http(path, {
        method,
        headers: await headers(),
        searchParams: parameters(connection, asked),
        timeout: {
          ...TIMEOUT,
          response: ANSWER_MS + waitMs * (1 + WAIT_SHARE),
          request: ANSWER_MS * 2 + waitMs * 2,
        },
        // Only what changes nothing is tried again by itself: a write may have been done although its answer was lost.
        retry: { limit: method === 'GET' ? RETRIES : 0 },
        ...(asked.body === undefined ? {} : { json: asked.body }),
        ...(signal === undefined ? {} : { signal }),
      }).catch((cause: unknown) => {
        signal?.throwIfAborted();
        throw unreachable(connection.address, cause);
      });
      if (response.statusCode >= 400) throw await refused(http, method, path, asked, response);
      const checked = answer.safeParse(parsed(response.body));
      if (!checked.success) throw strange(connection.address, `${method} ${path}`, checked.error);
      return { value: checked.data, index: Number(response.headers['x-nomad-index'] ?? 0) };
    },

    async stream(path, asked) {
      const http = await prepared();
      const stream = http.stream(path, {
        headers: await headers(),
        searchParams: parameters(connection, asked),
        timeout: { ...TIMEOUT, response: ANSWER_MS },
        retry: { limit: 0 },
        ...(asked.signal === undefined ? {} : { signal: asked.signal }),
      });
      return await new Promise<Readable>((resolve, reject) => {
        stream.once('response', ({ statusCode }: { statusCode: number }) => {
          if (statusCode < 400) return resolve(stream);
          void text(stream)
            .then(async (body) => await refused(http, 'GET', path, asked, { statusCode, body }))
            .then(reject, reject);
        });
        stream.once('error', (cause: Error) => reject(unreachable(connection.address, cause)));
      });
    },
  };
}

async function prepare({ address, caFile }: Connection): Promise<Got> {
  const authority =
    caFile === undefined
      ? undefined
      : await readFile(caFile, 'utf8').catch((cause: unknown) => {
          throw unreachable(address, cause);
        });
  return got.extend({
    prefixUrl: `${address.replace(/\/+$/, '')}/v1`,
    throwHttpErrors: false,
    followRedirect: false,
    headers: { accept: 'application/json', 'user-agent': 'autocode' },
    ...(authority === undefined ? {} : { https: { certificateAuthority: authority } }),
  });
}

function parameters({ namespace }: Connection, { query, wait }: Asked): URLSearchParams {
  const given = {
    namespace,
    ...query,
    ...(wait === undefined ? {} : { index: wait.index, wait: `${wait.seconds}s` }),
  };
  return new URLSearchParams(
    Object.entries(given).flatMap(([name, values]) =>
      [values].flat().map((value): [string, string] => [name, String(value)]),
    ),
  );
}

// Some answers have no body, and refusals are plain text.
function parsed(body: string): unknown {
  if (body === '') return null;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

async function text(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
