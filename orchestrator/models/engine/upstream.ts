// Any engine that speaks one of the protocols over HTTP: one connection pool, the key added here and nowhere else.
// Used by the gateway for each configured engine and by the recorder.
import type { Pool } from 'undici';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Protocol } from '../../../protocol/model.ts';
import { ask } from './ask.ts';
import { sizeOf } from './engine.ts';
import type { Engine, EngineRequest } from './engine.ts';

export interface UpstreamOptions {
  /** As in messages to the user. */
  name: string;
  /** Base address, with or without `/v1`. */
  url: string;
  protocols: readonly Protocol[];
  apiKey: () => Promise<string | undefined>;
  timeouts?: Partial<UpstreamTimeouts>;
  /** What to do when it does not answer. */
  remedy?: string;
}

export interface UpstreamTimeouts {
  connectMs: number;
  firstByteMs: number;
  idleMs: number;
  /** An answer that has not ended by then is cut. */
  wholeMs: number;
}

const TIMEOUTS: UpstreamTimeouts = {
  connectMs: 10_000,
  firstByteMs: 600_000,
  idleMs: 300_000,
  wholeMs: 3_600_000,
};

// All that is passed on; the client's own key, cookies and addresses stay here.
const FORWARDED = ['accept', 'user-agent', 'anthropic-version', 'anthropic-beta', 'openai-beta'];

/** An engine behind an address. */
export function upstreamEngine(options: UpstreamOptions): Engine {
  const base = baseAddress(options.url);
  const { connectMs, firstByteMs, idleMs, wholeMs } = { ...TIMEOUTS, ...options.timeouts };
  // Loaded with the first call: without an upstream it costs no time at the start and no memory.
  const open = async () =>
    new (await import('undici')).Pool(base.origin, {
      connect: { timeout: connectMs },
      headersTimeout: firstByteMs,
      bodyTimeout: idleMs,
      connections: null,
    });
  let pool: Promise<Pool> | undefined;
  return {
    async answer(request) {
      const headers = await requestHeaders(options, request);
      try {
        const path = `${base.path}${request.path}`;
        const post = { method: 'POST', path, headers, body: bodyOf(request, headers) };
        return await ask(await (pool ??= open()), post, { signal: request.signal, wholeMs });
      } catch (cause) {
        if (request.signal.aborted) throw cause;
        throw unavailable(options, cause);
      }
    },
    close: async () => (await pool)?.destroy(),
  };
}

/** Origin and path prefix of an engine's address; `/v1` is added unless the path names a version itself. */
export function baseAddress(address: string): { origin: string; path: string } {
  const url = new URL(address);
  const path = url.pathname.replace(/\/+$/, '');
  return { origin: url.origin, path: /\/v\d/.test(path) ? path : `${path}/v1` };
}

/** A body in parts goes as an iterable, which the pool takes though its types do not say so, with its length. */
function bodyOf(request: EngineRequest, headers: Record<string, string>): Uint8Array {
  const { body } = request;
  if (body instanceof Uint8Array) return body;
  headers['content-length'] = String(sizeOf(request));
  return body as unknown as Uint8Array;
}

async function requestHeaders(
  options: UpstreamOptions,
  request: EngineRequest,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'accept-encoding': 'identity',
  };
  for (const name of FORWARDED) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = String(value);
  }
  const key = await options.apiKey();
  if (key === undefined) return headers;
  // An engine that speaks Messages alone is Anthropic's kind and takes the key its way; all others take a bearer token.
  const anthropic = options.protocols.every((protocol) => protocol === 'messages');
  return { ...headers, ...(anthropic ? { 'x-api-key': key } : { authorization: `Bearer ${key}` }) };
}

function unavailable({ name, url, remedy = CHECK }: UpstreamOptions, cause: unknown): AutocodeError {
  // A name with several addresses fails with one error for each.
  const error: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  return new AutocodeError(
    'ERR_ENGINE_UNAVAILABLE',
    `The engine ${name} at ${withoutUser(url)} does not answer: ${error instanceof Error ? error.message : String(error)}.`,
    { remedy, cause },
  );
}

const CHECK = 'Check that it runs and that models.engines in the configuration names its address.';

function withoutUser(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href;
}
