// Requests to one Gitea server: time-outs, another try where that is safe, its rate limit, and its refusals as errors
// in its own words. Used by gitea.ts.
import { setTimeout as delay } from 'node:timers/promises';
import got, { type Response } from 'got';
import type { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

export interface RequestOptions<S extends z.ZodType> {
  answer: S;
  query?: Record<string, string | number>;
  json?: object;
  signal?: AbortSignal | undefined;
}

export interface GiteaApi {
  name: string;
  url: string;
  /** ERR_NOT_FOUND, ERR_FORGE_DENIED, ERR_FORGE_REFUSED; ERR_FORGE_UNAVAILABLE where another try later may help. */
  request<S extends z.ZodType>(
    method: Method,
    path: string,
    options: RequestOptions<S>,
  ): Promise<z.output<S>>;
  /** All pages of a list, a hundred at most. */
  all<S extends z.ZodType>(path: string, options: RequestOptions<S>): Promise<z.output<S>[]>;
}

export interface GiteaServer {
  name: string;
  url: string;
  token(): Promise<string>;
}

const TRIES = 3;
const FIRST_PAUSE_MS = 300;
const LONGEST_WAIT_MS = 20_000;
const TIMEOUT = { lookup: 5_000, connect: 5_000, request: 30_000 };
const PAGE = 50;
const PAGES = 100;
const SCOPES = 'write:repository and write:issue';

/** Makes the requests of one server; those of all its repositories together heed its rate limit. */
export function giteaApi(server: GiteaServer): GiteaApi {
  const { name, url } = server;
  let closedUntil = 0; // by the server's word that there were too many requests

  async function send(method: Method, path: string, options: RequestOptions<z.ZodType>): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      await waitUntil(closedUntil, server, options.signal);
      const response = await sendOnce(server, method, path, options).catch(
        (error: unknown) => error as Error,
      );
      options.signal?.throwIfAborted();
      const limited = !(response instanceof Error) && response.statusCode === 429;
      if (limited) closedUntil = Date.now() + retryAfterMs(response);
      const failed = response instanceof Error || response.statusCode >= 500;
      // A POST may have been done although its answer was lost; one that was turned away was not.
      const again = limited || (failed && method !== 'POST');
      if (!failed && !limited) return response;
      if (!again || attempt === TRIES) throw unavailable(server, response);
      if (failed) await delay(FIRST_PAUSE_MS * 4 ** (attempt - 1), undefined, { signal: options.signal });
    }
  }

  async function request<S extends z.ZodType>(method: Method, path: string, options: RequestOptions<S>) {
    const response = await send(method, path, options);
    if (response.statusCode >= 400) throw refusal(server, method, path, response);
    const checked = options.answer.safeParse(parsed(response.body as string));
    if (checked.success) return checked.data;
    throw new AutocodeError(
      'ERR_FORGE_UNAVAILABLE',
      `${url} answered ${method} ${path} with something else than Gitea's API does.`,
      {
        remedy: 'Check that the address is that of the Gitea itself, without /api/v1.',
        cause: checked.error,
      },
    );
  }

  async function all<S extends z.ZodType>(path: string, options: RequestOptions<S>) {
    const found: z.output<S>[] = [];
    for (let page = 1; page <= PAGES; page++) {
      const query = { ...options.query, page, limit: PAGE };
      const some = await request('GET', path, { ...options, answer: options.answer.array(), query });
      found.push(...some);
      if (some.length === 0) break; // a server may give shorter pages than asked for
    }
    return found;
  }

  return { name, url, request, all };
}

async function sendOnce(
  { url, token }: GiteaServer,
  method: Method,
  path: string,
  { query, json, signal }: RequestOptions<z.ZodType>,
): Promise<Response> {
  return await got(`${url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `token ${await token()}`,
      accept: 'application/json',
      'user-agent': 'autocode',
    },
    timeout: TIMEOUT,
    retry: { limit: 0 },
    throwHttpErrors: false,
    methodRewriting: false,
    ...(query === undefined ? {} : { searchParams: query }),
    ...(json === undefined ? {} : { json }),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function waitUntil(time: number, server: GiteaServer, signal: AbortSignal | undefined): Promise<void> {
  const wait = time - Date.now();
  if (wait <= 0) return;
  if (wait > LONGEST_WAIT_MS) throw limitReached(server, wait);
  await delay(wait, undefined, { signal });
}

function retryAfterMs({ headers }: Response): number {
  const value = headers['retry-after'] ?? '1';
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? 1000 : Math.max(ms, 0);
}

function parsed(body: string): unknown {
  try {
    return body === '' ? null : JSON.parse(body);
  } catch {
    return undefined;
  }
}

function limitReached({ url }: GiteaServer, waitMs: number): AutocodeError {
  return new AutocodeError(
    'ERR_FORGE_UNAVAILABLE',
    `${url} allows no more requests for ${Math.ceil(waitMs / 1000)} s.`,
    {
      remedy: 'Wait; or raise the rate limit of the forge for this token.',
    },
  );
}

function unavailable(server: GiteaServer, response: Response | Error): AutocodeError {
  if (response instanceof AutocodeError) return response;
  if (!(response instanceof Error) && response.statusCode === 429)
    return limitReached(server, retryAfterMs(response));
  const why =
    response instanceof Error ? response.message : `it answered ${response.statusCode}: ${words(response)}`;
  return new AutocodeError(
    'ERR_FORGE_UNAVAILABLE',
    `The forge ${server.name} at ${server.url} is not available: ${why}`,
    {
      remedy: 'It is tried again; check that the address is right and the server runs.',
      ...(response instanceof Error ? { cause: response } : {}),
    },
  );
}

function refusal(server: GiteaServer, method: Method, path: string, response: Response): AutocodeError {
  const said = words(response);
  const { name } = server;
  const what = `${method} ${path}`;
  switch (response.statusCode) {
    case 401:
      return new AutocodeError('ERR_FORGE_DENIED', `The forge ${name} does not accept the token: ${said}`, {
        remedy: renewal(name, 'It may be revoked or expired'),
      });
    case 403:
      return new AutocodeError(
        'ERR_FORGE_DENIED',
        `The token for the forge ${name} may not ${what}: ${said}`,
        {
          remedy: renewal(
            name,
            `It needs the scopes ${SCOPES}, and its user the right to write to the repository`,
          ),
        },
      );
    case 404:
      return new AutocodeError('ERR_NOT_FOUND', `The forge ${name} has no ${path}: ${said}`, {
        remedy:
          'The repository or pull request may have been renamed or deleted, or the user of the token may not see it.',
      });
    default:
      return new AutocodeError(
        'ERR_FORGE_REFUSED',
        `The forge ${name} refused ${what} (${response.statusCode}): ${said}`,
      );
  }
}

function renewal(name: string, why: string): string {
  return `${why}: give another with \`autocode project set PROJECT --forge ${name} --forge-token-file FILE\`.`;
}

// Gitea says {message, errors}; what stands before it says anything.
function words({ body, statusMessage }: Response): string {
  const content = parsed(body as string) as { message?: unknown; errors?: unknown } | null | undefined;
  const message = typeof content?.message === 'string' ? content.message : '';
  return (message || statusMessage || 'no reason given').replace(/\s+/g, ' ').slice(0, 500);
}
