// Requests to one forge's API: time-outs, another try where that is safe, its rate limits, pages, ETags, and refusals as
// errors in its own words. Used by every forge that has a server.
import { setTimeout as delay } from 'node:timers/promises';
import type { Response } from 'got';
import type { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { isLimited, limitEnd } from './rate-limit.ts';
import { parsed, refusal, unavailable, waitTooLong } from './refusal.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

export interface RequestOptions<S extends z.ZodType> {
  answer: S;
  query?: Record<string, string | number>;
  json?: object;
  signal?: AbortSignal | undefined;
}

export interface ApiServer {
  /** Of the forge, as the configuration has it. */
  name: string;
  /** Where paths begin, as `https://git.example.com/api/v1`. */
  api: string;
  product: string; // as `Gitea`
  /** What the credential needs, for the remedy of a refusal. */
  rights: string;
  /** Headers with the credential. `renew`: the last was not accepted; the same again means that there is no other. */
  headers(renew: boolean): Promise<Record<string, string>>;
  /** Parameters of page `page` of a list, where the server does not link its pages. */
  page?(page: number): Record<string, number>;
  /** What a list is asked for without a page; the longest page that the server gives. */
  longest?: Record<string, number>;
}

export interface ForgeApi {
  name: string;
  /** ERR_NOT_FOUND, ERR_FORGE_DENIED, ERR_FORGE_REFUSED; ERR_FORGE_UNAVAILABLE where another try later may help. */
  request<S extends z.ZodType>(
    method: Method,
    path: string,
    options: RequestOptions<S>,
  ): Promise<z.output<S>>;
  /** All pages of a list, a hundred at most; `answer` is of a page. */
  all<T>(path: string, options: RequestOptions<z.ZodType<T[]>>): Promise<T[]>;
  /** The same page by page. */
  pages<T>(path: string, options: RequestOptions<z.ZodType<T[]>>): AsyncIterable<T[]>;
}

/** What stays of an answer with an ETag. */
type Kept = Pick<Response, 'headers' | 'body'>;

const TRIES = 3;
const FIRST_PAUSE_MS = 300;
const LONGEST_WAIT_MS = 20_000;
const TIMEOUT = { lookup: 5_000, connect: 5_000, request: 30_000 };
const PAGES = 100;
const KEPT_ANSWERS = 1000;

/** Makes the requests of one credential at one server; all of them together heed its rate limit. */
export function forgeApi(server: ApiServer): ForgeApi {
  let closedUntil = 0; // by the server's word that there were too many requests
  const kept = new Map<string, Kept>(); // by address

  async function send(method: Method, url: string, options: RequestOptions<z.ZodType>): Promise<Response> {
    let headers = await server.headers(false);
    for (let attempt = 1; ; attempt++) {
      await waitUntil(closedUntil, server, options.signal);
      const response = await sendOnce(method, url, headers, kept.get(url), options).catch(
        (error: unknown) => error as Error,
      );
      options.signal?.throwIfAborted();
      const limited = !(response instanceof Error) && isLimited(response);
      if (!(response instanceof Error)) closedUntil = Math.max(closedUntil, limitEnd(response, limited));
      if (!(response instanceof Error) && response.statusCode === 401 && attempt < TRIES) {
        const last = headers.authorization;
        headers = await server.headers(true);
        if (headers.authorization !== last) continue;
      }
      const failed = response instanceof Error || response.statusCode >= 500;
      if (!failed && !limited) return response;
      // A POST may have been done although its answer was lost; one that was turned away was not.
      const again = limited || method !== 'POST';
      if (!again || attempt === TRIES) throw unavailable(server, response);
      if (failed) await delay(FIRST_PAUSE_MS * 4 ** (attempt - 1), undefined, { signal: options.signal });
    }
  }

  // An answer that has not changed since is not sent again, and GitHub does not count it.
  async function ask<S extends z.ZodType>(method: Method, path: string, options: RequestOptions<S>) {
    const url = addressOf(server.api, path, options.query);
    const fresh = await send(method, url, options);
    if (fresh.statusCode >= 400) throw refusal(server, method, path, fresh);
    const response = (fresh.statusCode === 304 ? kept.get(url) : undefined) ?? fresh;
    const checked = options.answer.safeParse(parsed(response.body as string));
    if (!checked.success) throw notTheApi(server, method, path, checked.error);
    if (method === 'GET' && response.headers.etag !== undefined) keep(kept, url, response);
    return { content: checked.data, response };
  }

  async function* pages<T>(path: string, options: RequestOptions<z.ZodType<T[]>>): AsyncGenerator<T[]> {
    const first = { ...options.query, ...(server.page?.(1) ?? server.longest) };
    let next = addressOf(server.api, path, first);
    for (let page = 1; page <= PAGES; page++) {
      const { content, response } = await ask('GET', next, { ...options, query: {} });
      if (server.page !== undefined && content.length === 0) return; // it may give shorter pages than asked for
      yield content;
      const following = server.page?.(page + 1);
      const link = following === undefined ? linkedNext(server, response) : undefined;
      if (following === undefined && link === undefined) return;
      next = link ?? addressOf(server.api, path, { ...options.query, ...following });
    }
  }

  return {
    name: server.name,
    request: async (method, path, options) => (await ask(method, path, options)).content,
    pages,
    all: async <T>(path: string, options: RequestOptions<z.ZodType<T[]>>) => {
      const found: T[] = [];
      for await (const some of pages(path, options)) found.push(...some);
      return found;
    },
  };
}

function addressOf(api: string, path: string, query: Record<string, string | number> = {}): string {
  const url = new URL(/^https?:/.test(path) ? path : api + path);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return url.href;
}

async function sendOnce(
  method: Method,
  url: string,
  headers: Record<string, string>,
  kept: Kept | undefined,
  { json, signal }: RequestOptions<z.ZodType>,
): Promise<Response> {
  const etag = method === 'GET' ? kept?.headers.etag : undefined;
  const { default: got } = await import('got'); // loaded where a forge has a server
  return await got(url, {
    method,
    headers: {
      accept: 'application/json',
      'user-agent': 'autocode',
      ...headers,
      ...(etag === undefined ? {} : { 'if-none-match': etag }),
    },
    timeout: TIMEOUT,
    retry: { limit: 0 },
    throwHttpErrors: false,
    methodRewriting: false,
    ...(json === undefined ? {} : { json }),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function waitUntil(time: number, server: ApiServer, signal: AbortSignal | undefined): Promise<void> {
  const wait = time - Date.now();
  if (wait <= 0) return;
  if (wait > LONGEST_WAIT_MS) throw waitTooLong(server, wait);
  await delay(wait, undefined, { signal });
}

function keep(kept: Map<string, Kept>, url: string, { headers, body }: Kept): void {
  kept.delete(url);
  kept.set(url, { headers, body });
  const oldest = kept.keys().next().value;
  if (kept.size > KEPT_ANSWERS && oldest !== undefined) kept.delete(oldest);
}

// Its host is not taken from the answer: the credential goes to the forge's own address alone.
function linkedNext({ api }: ApiServer, { headers }: Kept): string | undefined {
  const link = URL.parse(/<([^>]+)>;[^,]*\brel="next"/.exec(String(headers.link ?? ''))?.[1] ?? '');
  return link === null ? undefined : new URL(api).origin + link.pathname + link.search;
}

function notTheApi({ api, product }: ApiServer, method: Method, path: string, cause: Error): AutocodeError {
  return new AutocodeError(
    'ERR_FORGE_UNAVAILABLE',
    `${api} answered ${method} ${path} with something else than ${product}'s API does.`,
    { remedy: `Check that the forge's address is that of the ${product} itself, without /api.`, cause },
  );
}
