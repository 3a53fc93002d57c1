// The OpenAPI document: what the routes' schemas say, and what holds for all of them: the answers that are errors.
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { RouteOptions } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { isSafe } from './session-cookie.ts';

/** As much of a document as is looked at here. */
interface Document {
  paths?: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, unknown>; responses?: Record<string, unknown> };
}

interface Operation {
  parameters?: unknown[];
  requestBody?: unknown;
  security?: unknown[];
  responses?: Record<string, unknown>;
}

const CONDITIONS = {
  BadRequest: 'Path, query or body is not valid; the message names the fields.',
  Unauthenticated: 'No token, or one that is unknown, revoked or expired.',
  Forbidden: "The token's role, or its run, may not do this.",
  NotFound: 'What the request names does not exist.',
  Timeout: 'The body did not come in time.',
  Conflict: 'The state of things, or a newer fence, forbids it.',
  TooLarge: 'The body is longer than api.bodyLimitBytes.',
  Refused: 'It cannot be done with what was named: a repository, a branch, an agent, a model.',
  Version: 'The protocol versions are too far apart.',
  TooMany: 'More requests in a minute than the role may make; `retry-after` tells the seconds to wait.',
  Failure: 'Something inside or behind Autocode failed; the log has the request id.',
} as const;

const SCHEMES = {
  token: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API token, as `autocode token create` makes it.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'autocode_session',
    description:
      'The session that `POST /api/v1/session` begins; over TLS the name is `__Host-autocode_session`.',
  },
  csrf: {
    type: 'apiKey',
    in: 'header',
    name: 'x-csrf-token',
    description: 'Beside the cookie, for what changes something: what `GET /api/v1/session` tells as `csrf`.',
  },
} as const;

type Condition = keyof typeof CONDITIONS;

/** Settings of the document's generator. */
export function openApiDocument(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Autocode', version, description: 'Tasks in, verified changes out.' },
      components: { securitySchemes: SCHEMES },
      security: [{ token: [] }],
    },
    transform: (input) => {
      const transformed = jsonSchemaTransform(input);
      const security = securityOf(input.route);
      return { ...transformed, schema: { security, ...transformed.schema } };
    },
    transformObject: (input) => {
      const document = jsonSchemaTransformObject(input);
      withErrors(document as Document);
      keepReferenced(document as Document);
      return document;
    },
  };
}

/** How a request shows who sends it: by a token, or by the session of the page; runs have tokens alone. */
function securityOf({ method, config }: RouteOptions): Record<string, string[]>[] {
  if (config?.access === 'run' || config?.access === 'worker') return [{ token: [] }];
  return [{ token: [] }, [method].flat().every(isSafe) ? { session: [] } : { session: [], csrf: [] }];
}

/** Gives every operation the errors that it can answer with. */
function withErrors(document: Document): void {
  for (const operations of Object.values(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(operations)) {
      const errors = Object.entries(errorsOf(method, operation)).map(([status, name]) => [
        status,
        { $ref: `#/components/responses/${name}` },
      ]);
      operation.responses = { ...operation.responses, ...Object.fromEntries(errors) };
    }
  }
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  const responses = Object.entries(CONDITIONS).map(([name, description]) => [name, { description, content }]);
  document.components = { ...document.components, responses: Object.fromEntries(responses) };
}

function errorsOf(
  method: string,
  { parameters, requestBody, security }: Operation,
): Record<string, Condition> {
  const named: Record<string, Condition> = {
    400: 'BadRequest',
    404: 'NotFound',
    409: 'Conflict',
    422: 'Refused',
  };
  return {
    ...(parameters === undefined && requestBody === undefined ? {} : named),
    ...(security?.length === 0 ? {} : { 401: 'Unauthenticated', 403: 'Forbidden' }),
    // A body may come to any of these, be it wanted or not.
    ...(method === 'get' ? {} : { 400: 'BadRequest', 408: 'Timeout', 413: 'TooLarge' }),
    ...(method === 'put' ? { 426: 'Version' } : {}),
    429: 'TooMany',
    '5XX': 'Failure',
  };
}

/** Schemas that nothing refers to, directly or by another one, are left out: each is generated as input and as output. */
function keepReferenced(document: Document): void {
  const schemas = document.components?.schemas ?? {};
  const kept = new Set<string>();
  const keep = (part: unknown) => {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (kept.has(name)) continue;
      kept.add(name);
      keep(schemas[name]);
    }
  };
  keep([document.paths, document.components?.responses]);
  for (const name of Object.keys(schemas)) if (!kept.has(name)) delete schemas[name];
}
