// The cookie of a session, and what keeps other sites from using it: a browser sends the cookie with what they start, so a
// change asked for by cookie has to show that the page itself asks. Used by authentication.ts and the routes of sign-in.
import { timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AutocodeError } from '../../protocol/errors.ts';
import { csrfOf } from '../people/sessions.ts';

const NAME = 'autocode_session';
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a method changes nothing. */
export function isSafe(method: string): boolean {
  return SAFE.has(method);
}

/** Over TLS no other host, no path of another page and no plain connection can set a cookie of this prefix. */
function nameFor(request: FastifyRequest, name: string): string {
  return request.protocol === 'https' ? `__Host-${name}` : name;
}

/** The value of a cookie of ours, or null. One that came twice is none: somebody else has set the other. */
export function cookieOf(request: FastifyRequest, name = NAME): string | null {
  const wanted = `${nameFor(request, name)}=`;
  const found = (request.headers.cookie ?? '').split(';').filter((each) => each.trim().startsWith(wanted));
  return found.length === 1 ? found[0]!.trim().slice(wanted.length) : null;
}

/** Sends a cookie that scripts cannot read and that other sites' posts do not carry. */
export function sendCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  value: string,
  maxAgeSeconds: number,
  name = NAME,
): void {
  const secure = request.protocol === 'https';
  reply.setCookie(nameFor(request, name), value, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure,
    maxAge: Math.floor(maxAgeSeconds),
  });
}

/** Refuses what another site's page has started, as far as the browser tells. */
export function requireSameSite(request: FastifyRequest): void {
  const { origin, 'sec-fetch-site': site } = request.headers;
  const told = typeof site === 'string' ? site === 'same-origin' || site === 'none' : isOwn(request, origin);
  if (!told)
    throw new AutocodeError('ERR_FORBIDDEN', 'The request was started by the page of another site.', {
      remedy: 'Use the page that this daemon serves; programs send a token in the Authorization header.',
    });
}

/** Refuses a change by cookie without the text that only the session's own page can know. */
export function requireCsrf(request: FastifyRequest, cookie: string): void {
  requireSameSite(request);
  const sent = Buffer.from(String(request.headers['x-csrf-token'] ?? ''));
  const expected = Buffer.from(csrfOf(cookie));
  if (sent.length === expected.length && timingSafeEqual(sent, expected)) return;
  throw new AutocodeError('ERR_FORBIDDEN', 'The header x-csrf-token is missing or of another session.', {
    remedy: 'Send what `GET /api/v1/session` tells as `csrf`.',
    details: { csrf: true },
  });
}

// Browsers without Sec-Fetch-Site send Origin with each post; programs that send neither have no cookies of others.
function isOwn(request: FastifyRequest, origin: string | undefined): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === request.host;
}
