// Turns every error into the API's one shape. A request id is in the answer and in the log.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { AutocodeError, type ErrorBody } from '../../protocol/errors.ts';
import { sqlState } from '../db/connect.ts';
import type { ApiContext } from './context.ts';

/** Installs the error handler and the answer for unknown routes; to be called before the routes are added. */
export function handleErrors(app: FastifyInstance, log: ApiContext['log']): void {
  const routes = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = routes.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each);
    routes.set(url, methods);
  });
  app.setNotFoundHandler((request, reply) => answerUnknown(routes, request, reply));
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    if (request.is404) return answerUnknown(routes, request, reply);
    const known = asAutocodeError(error);
    if (known.status >= 500)
      log.error(`${request.method} ${request.routeOptions.url}: ${error.message}`, {
        requestId: request.id,
        stack: error.stack,
      });
    request.refusedWith = known.code;
    return answer(reply, known, request);
  });
}

/** Longest part of an address that is matched with a parameter of a route. */
export const MAX_PARAMETER_LENGTH = 500;

/** 400 where a part of the path is too long for any route, 405 where the path is known with other methods, else 404. */
function answerUnknown(
  routes: Map<string, Set<string>>,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { method, url } = request;
  const path = url.split('?', 1)[0]!;
  if (path.split('/').some((part) => part.length > MAX_PARAMETER_LENGTH)) {
    const message = `A part of ${path} has more than ${MAX_PARAMETER_LENGTH} characters.`;
    return answer(reply, new AutocodeError('ERR_INVALID_INPUT', message), request);
  }
  const allowed = [...routes]
    .filter(([pattern]) => matches(pattern, path))
    .flatMap(([, methods]) => [...methods]);
  if (allowed.length === 0) {
    const remedy = 'The routes are listed in /api/openapi.json.';
    return answer(
      reply,
      new AutocodeError('ERR_NOT_FOUND', `There is no ${method} ${path}.`, { remedy }),
      request,
    );
  }
  reply.header('allow', allowed.join(', '));
  return answer(
    reply,
    new AutocodeError('ERR_METHOD', `${path} does not take ${method}.`, {
      remedy: `It takes ${allowed.join(', ')}.`,
    }),
    request,
  );
}

/** Answers for requests that do not get as far as a route, as one whose address cannot be read; no hook sees them. */
export function refuseRequest(clean: (text: string) => string) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    answer(reply.header('x-request-id', request.id), asAutocodeError(error), request, clean);
  };
}

/** Whether a path is one of a route's, as `/api/v1/tasks/3` is of `/api/v1/tasks/:task`. */
function matches(url: string, path: string): boolean {
  const [pattern, given] = [url.split('/'), path.split('/')];
  return (
    pattern.length === given.length && pattern.every((part, i) => part.startsWith(':') || part === given[i])
  );
}

function answer(
  reply: FastifyReply,
  error: AutocodeError,
  request: FastifyRequest,
  clean = (text: string) => text,
): FastifyReply {
  const body = clean(JSON.stringify(errorBody(error, request.id)));
  return reply.code(error.status).header('content-type', 'application/json; charset=utf-8').send(body);
}

/** An error as the API tells it. */
export function errorBody({ code, message, remedy, details }: AutocodeError, requestId: string): ErrorBody {
  return {
    error: {
      code,
      message,
      ...(remedy === undefined ? {} : { remedy }),
      ...(details === undefined ? {} : { details }),
      requestId,
    },
  };
}

/** The coded error behind whatever was thrown. */
export function asAutocodeError(error: FastifyError): AutocodeError {
  if (error instanceof AutocodeError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidInput(error);
  const code = FASTIFY_CODES[error.code];
  if (code !== undefined)
    return new AutocodeError(code.code, error.message, { remedy: code.remedy, cause: error });
  if (DISK_FULL.test(sqlState(error))) {
    return new AutocodeError(
      'ERR_DISK_FULL',
      'The disk of the data directory, or of its database, is full.',
      {
        remedy: 'Free some space on it; what was accepted is kept, and this request can be sent again.',
        cause: error,
      },
    );
  }
  if (DATABASE_AWAY.test(sqlState(error))) {
    return new AutocodeError('ERR_DATABASE', 'The database does not answer.', {
      remedy: 'Try again in some seconds; `autocode status` tells how it is.',
      cause: error,
    });
  }
  if ((error.statusCode ?? 500) < 500)
    return new AutocodeError('ERR_INVALID_INPUT', error.message, { cause: error });
  return new AutocodeError('ERR_INTERNAL', 'Something went wrong inside Autocode.', {
    remedy: 'The log has the request id and the cause: `logs/orchestrator` in the data directory.',
    cause: error,
  });
}

const DISK_FULL = /^(53100|ENOSPC|EDQUOT)$/;
const DATABASE_AWAY = /^(08|57P|53|ECONNREFUSED|ECONNRESET|ENOENT|EPIPE)/;

const FASTIFY_CODES: Record<string, { code: 'ERR_BODY_NOT_JSON' | 'ERR_BODY_TOO_LARGE'; remedy: string }> = {
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'ERR_BODY_NOT_JSON', remedy: 'Send one JSON document in UTF-8.' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'ERR_BODY_NOT_JSON', remedy: 'Send one JSON document in UTF-8.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'ERR_BODY_NOT_JSON',
    remedy: 'Send it with content-type: application/json.',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'ERR_BODY_NOT_JSON',
    remedy: 'Content-length and body disagree; send the whole body.',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'ERR_BODY_TOO_LARGE',
    remedy: 'Shorten it, or raise api.bodyLimitBytes in the configuration.',
  },
};

interface Issue {
  instancePath: string;
  message?: string;
}

function invalidInput(
  error: FastifyError & { validation: Issue[]; validationContext?: string },
): AutocodeError {
  const problems = error.validation.map((issue) => ({
    path: issue.instancePath.replace(/^\//, '').replaceAll('/', '.') || '(root)',
    message: issue.message ?? 'is not valid',
  }));
  const where = error.validationContext === 'params' ? 'path' : (error.validationContext ?? 'request');
  return new AutocodeError(
    'ERR_INVALID_INPUT',
    `The ${where} is not valid: ${problems.map((problem) => `${problem.path}: ${problem.message}`).join('; ')}.`,
    {
      remedy: 'Mend the named fields; the shapes are in /api/openapi.json.',
      details: problems,
      cause: error,
    },
  );
}
