// What the gateway serves, and what it says where it does not. Used by server.ts.
import type { IncomingMessage } from 'node:http';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Protocol } from '../../protocol/model.ts';
import type { Catalogue } from '../models/catalogue.ts';
import { WIRES } from '../models/wire/table.ts';

export type Route = 'models' | { protocol: Protocol; path: string };

const COUNT_TOKENS = '/messages/count_tokens';

/** Which route a request takes, if any. */
export function routeOf({ method, url = '' }: IncomingMessage): Route | undefined {
  const path = url.split('?')[0] ?? '';
  if (method === 'GET') return path === '/v1/models' ? 'models' : undefined;
  if (method !== 'POST' || !path.startsWith('/v1/')) return undefined;
  const under = path.slice('/v1'.length);
  if (under === COUNT_TOKENS) return { protocol: 'messages', path: under };
  const wire = Object.values(WIRES).find((known) => known.path === under);
  return wire && { protocol: wire.protocol, path: under };
}

/** The key that it carries, in OpenAI's or in Anthropic's way. */
export function keyOf({ headers }: IncomingMessage): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  return bearer ?? headers['x-api-key']?.toString();
}

/** The list of models, in the shape of OpenAI's list and of Anthropic's at once. */
export function modelList(catalogue: Catalogue): object {
  const data = catalogue.list().map(({ name, engine }) => ({
    id: name,
    object: 'model',
    created: 0,
    owned_by: engine,
    type: 'model',
    display_name: name,
    created_at: '1970-01-01T00:00:00Z',
  }));
  return {
    object: 'list',
    data,
    has_more: false,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}

/** Refuses a path or method. */
export function notServed({ method, url }: IncomingMessage): AutocodeError {
  const paths = Object.values(WIRES).map((wire) => `POST /v1${wire.path}`);
  return new AutocodeError('ERR_NOT_FOUND', `The gateway does not serve ${method} ${url?.split('?')[0]}.`, {
    remedy: `It serves ${paths.join(', ')}, POST /v1${COUNT_TOKENS} and GET /v1/models.`,
  });
}

/** Refuses a protocol that the model's engine does not speak. */
export function notSpoken(engine: string, spoken: readonly Protocol[], asked: Protocol): AutocodeError {
  const paths = spoken.map((protocol) => `/v1${WIRES[protocol].path}`);
  return new AutocodeError(
    'ERR_INVALID_INPUT',
    `The engine ${engine} does not speak /v1${WIRES[asked].path}.`,
    {
      remedy: `It speaks ${paths.join(', ')}: use an agent that does too, or another model.`,
    },
  );
}
