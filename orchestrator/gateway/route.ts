// What the gateway serves, and what it says where it does not. Used by call.ts.
import type { IncomingMessage } from 'node:http';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Protocol } from '../../protocol/model.ts';
import { ENDPOINTS } from '../models/wire/table.ts';

/** A model call, or a question about models: all of them, or the one of that name. */
export type Route = { protocol: Protocol; path: string } | { models: true; named?: string };

export const COUNT_TOKENS = '/messages/count_tokens';
const MODELS = '/v1/models';

/** Which route a request takes, if any. */
export function routeOf({ method, url = '' }: IncomingMessage): Route | undefined {
  const path = url.split('?')[0] ?? '';
  if (method === 'GET') {
    if (path === MODELS) return { models: true };
    return path.startsWith(`${MODELS}/`)
      ? { models: true, named: decoded(path.slice(MODELS.length + 1)) }
      : undefined;
  }
  if (method !== 'POST' || !path.startsWith('/v1/')) return undefined;
  const under = path.slice('/v1'.length);
  if (under === COUNT_TOKENS) return { protocol: 'messages', path: under };
  const endpoint = Object.values(ENDPOINTS).find((known) => known.path === under);
  return endpoint && { protocol: endpoint.protocol, path: under };
}

/** The protocol that a refusal is told in. */
export function protocolOf(route: Route | undefined, request: IncomingMessage): Protocol {
  if (route !== undefined && 'protocol' in route) return route.protocol;
  return isAnthropic(request) ? 'messages' : 'chat';
}

/** Whether the client is one of Anthropic's. */
export function isAnthropic({ headers }: IncomingMessage): boolean {
  return headers['anthropic-version'] !== undefined;
}

/** The key that it carries, in OpenAI's or in Anthropic's way. */
export function keyOf({ headers }: IncomingMessage): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  return bearer ?? headers['x-api-key']?.toString();
}

/** Refuses a path or method. */
export function notServed({ method, url }: IncomingMessage): AutocodeError {
  const paths = Object.values(ENDPOINTS).map((endpoint) => `POST /v1${endpoint.path}`);
  return new AutocodeError('ERR_NOT_FOUND', `The gateway does not serve ${method} ${url?.split('?')[0]}.`, {
    remedy: `It serves ${paths.join(', ')}, POST /v1${COUNT_TOKENS} and GET ${MODELS}.`,
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
