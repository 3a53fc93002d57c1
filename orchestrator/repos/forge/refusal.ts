// What a forge did not do, as an error in its own words. Used by forge-http.ts.
import type { Response } from 'got';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ApiServer, Method } from './forge-http.ts';
import { isLimited, limitEnd } from './rate-limit.ts';

const WORDS_MAX = 500;

/** The answer's JSON; undefined when it is none, null when there is none. */
export function parsed(body: string): unknown {
  try {
    return body === '' ? null : JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** The server's rate limit is used up for longer than anybody should wait. */
export function waitTooLong({ name, api }: ApiServer, waitMs: number): AutocodeError {
  return new AutocodeError(
    'ERR_FORGE_UNAVAILABLE',
    `The forge ${name} at ${api} allows no more requests for ${Math.ceil(waitMs / 1000)} s.`,
    { remedy: 'Wait; or raise the rate limit of the forge for this token.' },
  );
}

/** No answer, or one that says that a later try may help. */
export function unavailable(server: ApiServer, response: Response | Error): AutocodeError {
  if (response instanceof AutocodeError) return response;
  if (!(response instanceof Error) && isLimited(response))
    return waitTooLong(server, limitEnd(response, true) - Date.now());
  const why =
    response instanceof Error ? response.message : `it answered ${response.statusCode}: ${words(response)}`;
  return new AutocodeError(
    'ERR_FORGE_UNAVAILABLE',
    `The forge ${server.name} at ${server.api} is not available: ${why}`,
    {
      remedy: 'It is tried again; check that the address is right and the server runs.',
      ...(response instanceof Error ? { cause: response } : {}),
    },
  );
}

/** An answer of 400 to 499. */
export function refusal(server: ApiServer, method: Method, path: string, response: Response): AutocodeError {
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
        { remedy: renewal(name, `It needs ${rightsOf(server, response)}`) },
      );
    case 404:
    case 410:
      return new AutocodeError('ERR_NOT_FOUND', `The forge ${name} has no ${path}: ${said}`, {
        remedy:
          'The repository or pull request may have been renamed or deleted, or the user of the token may not see it.',
      });
    default:
      return new AutocodeError(
        'ERR_FORGE_REFUSED',
        `The forge ${name} refused ${what} (${response.statusCode}): ${said}`,
        { details: { status: response.statusCode } },
      );
  }
}

// GitHub names what would have been enough.
function rightsOf({ rights }: ApiServer, { headers }: Response): string {
  const wanted = headers['x-accepted-github-permissions'];
  return typeof wanted === 'string' && wanted !== '' ? `the permission ${wanted}` : rights;
}

function renewal(name: string, why: string): string {
  return `${why}: give another with \`autocode project set PROJECT --forge ${name} --forge-token-file FILE\`.`;
}

// {message, errors: [text | {message, field, code}]} as GitHub and Gitea have it; GitLab's message may be a list or an
// object, or `error`. What stands before a forge says anything.
function words({ body, statusMessage }: Response): string {
  const content = parsed(body as string);
  const {
    message,
    error,
    error_description: description,
    errors,
  } = Object(content) as Record<string, unknown>;
  const parts = [message ?? description ?? error, ...(Array.isArray(errors) ? errors.map(errorWords) : [])];
  const text = parts.map(asText).filter(Boolean).join('; ');
  return (text || statusMessage || 'no reason given').replace(/\s+/g, ' ').slice(0, WORDS_MAX);
}

function errorWords(error: unknown): unknown {
  const { message, resource, field, code } = Object(error) as Record<string, unknown>;
  return (
    message ?? (code === undefined ? error : [resource, field, code].map(asText).filter(Boolean).join(' '))
  );
}

function asText(value: unknown): string {
  return typeof value === 'string'
    ? value
    : value === undefined || value === null
      ? ''
      : JSON.stringify(value);
}
