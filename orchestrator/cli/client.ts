// The CLI's side of the HTTP API: finds the daemon, sends its token, parses answers by the protocol's schemas.
// Used by every verb that talks to the daemon. The daemon is looked up anew for each request: after a restart its port may differ.
import { z } from 'zod';
import { AutocodeError, ErrorBody, errorFromBody } from '../../protocol/errors.ts';
import { tlsFailure } from '../../protocol/tls-failure.ts';
import type { GlobalArgs } from './command.ts';
import { locateDaemon, type Target } from './locate.ts';
import { follow, type FollowOptions, type StreamMessage } from './event-stream.ts';
import { fetchTrusting } from './trusting-fetch.ts';

const TIMEOUT_MS = 60_000;

export type Query = Record<string, string | number | boolean | undefined>;

export interface Client {
  /** Where requests go now. */
  target(): Target;
  get<S extends z.ZodType>(path: string, schema: S, query?: Query): Promise<z.infer<S>>;
  send<S extends z.ZodType>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    schema: S,
    body?: unknown,
  ): Promise<z.infer<S>>;
  /** Posts bytes as they come; no time limit. */
  upload<S extends z.ZodType>(path: string, schema: S, upload: Upload): Promise<z.infer<S>>;
  text(path: string, query?: Query): Promise<string>;
  /** The bytes of a log, piped on as they come. */
  bytes(path: string, query?: Query, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Server-sent events, through reconnects. */
  follow(path: string, options: FollowOptions): AsyncGenerator<StreamMessage>;
}

/** A client for the daemon that the options, the environment or the data directory name. */
export function connect(args: Pick<GlobalArgs, 'url' | 'tokenFile' | 'caFile' | 'config' | 'set'>): Client {
  const target = () => locateDaemon(args);
  const client: Client = {
    target,
    async get(path, schema, query) {
      return parse(schema, await request(target(), { path, query }), path);
    },
    async send(method, path, schema, body) {
      return parse(schema, await request(target(), { method, path, body }), path);
    },
    async upload(path, schema, { body, type, query }) {
      const init = {
        method: 'POST',
        path,
        query,
        stream: body,
        headers: { 'content-type': type },
        signal: null,
      };
      return parse(schema, await request(target(), init), path);
    },
    async text(path, query) {
      return await (await request(target(), { path, query })).text();
    },
    async bytes(path, query, signal) {
      const response = await request(target(), { path, query, signal: signal ?? null });
      return response.body ?? emptyBody();
    },
    follow: (path, options) => follow((init) => request(target(), { path, ...init }), options),
  };
  return client;
}

export interface Upload {
  body: AsyncIterable<Uint8Array>;
  type: string;
  query?: Query;
}

export interface ApiRequest {
  method?: string;
  path: string;
  query?: Query | undefined;
  body?: unknown;
  /** Instead of a body: bytes as they come. */
  stream?: AsyncIterable<Uint8Array>;
  headers?: Record<string, string>;
  /** Null: no time limit but the caller's (streams). */
  signal?: AbortSignal | null;
}

/** One request; an answer that is not a success becomes the error that its body names. */
async function request(target: Target, init: ApiRequest): Promise<Response> {
  const url = new URL(`${target.url.replace(/\/$/, '')}/api/v1${init.path}`);
  for (const [name, value] of Object.entries(init.query ?? {}))
    if (value !== undefined) url.searchParams.set(name, String(value));
  const headers: Record<string, string> = { accept: 'application/json', ...init.headers };
  if (target.token !== null) headers.authorization = `Bearer ${target.token}`;
  if (init.body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    const send = await fetchTrusting(target.caFile);
    response = await send(url, {
      method: init.method ?? 'GET',
      headers,
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      ...(init.stream === undefined ? {} : { body: init.stream, duplex: 'half' as const }),
      signal: init.signal === undefined ? AbortSignal.timeout(TIMEOUT_MS) : init.signal,
    });
  } catch (error) {
    throw unreachable(target, error);
  }
  if (response.ok) return response;
  throw await refusal(response, url);
}

async function refusal(response: Response, url: URL): Promise<AutocodeError> {
  const text = await response.text().catch(() => '');
  const body = ErrorBody.safeParse(parseJson(text));
  if (body.success) return errorFromBody(body.data, response.status);
  return new AutocodeError(
    'ERR_INTERNAL',
    `${url.origin} answered ${response.status} without an error of Autocode's.`,
    {
      remedy: 'Check that the address is that of an Autocode daemon (--url, AUTOCODE_URL).',
      details: text.slice(0, 500),
    },
  );
}

function unreachable(target: Target, error: unknown): AutocodeError {
  if (error instanceof AutocodeError || (error instanceof Error && error.name === 'AbortError')) throw error;
  const refused = tlsFailure(target.url, error);
  if (refused !== undefined) return refused;
  const timedOut = error instanceof Error && error.name === 'TimeoutError';
  const message = timedOut
    ? `The daemon at ${target.url} does not answer.`
    : `No daemon answers at ${target.url}.`;
  const remedy = target.local
    ? 'Start it with `autocode up --detach`; `autocode doctor` looks for what is wrong.'
    : 'Check the address and that the daemon runs there.';
  return new AutocodeError('ERR_DAEMON_NOT_RUNNING', message, { remedy, cause: error });
}

async function parse<S extends z.ZodType>(schema: S, response: Response, path: string): Promise<z.infer<S>> {
  const result = schema.safeParse(parseJson(await response.text()));
  if (result.success) return result.data;
  throw new AutocodeError(
    'ERR_PROTOCOL_VERSION',
    `The daemon's answer to ${path} is not understood: ${z.prettifyError(result.error)}`,
    {
      remedy: 'Use the CLI and the daemon of one version.',
    },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}
