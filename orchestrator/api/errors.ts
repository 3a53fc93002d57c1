// Turns every error into the API's one shape. A request id is in the answer and in the log.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { AutocodeError, type ErrorBody } from '../../protocol/errors.ts';
import { sqlState } from '../db/connect.ts';
import type { ApiContext } from './context.ts';

/** Installs the error handler and the answer for unknown routes. */
export function handleErrors(app: FastifyInstance, log: ApiContext['log']): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const known = asAutocodeError(error);
    if (known.status >= 500) log.error(`${request.method} ${request.routeOptions.url}: ${error.message}`, { requestId: request.id, stack: error.stack });
    return answer(reply, known, request);
  });
  app.setNotFoundHandler((request, reply) =>
    answer(
      reply,
      new AutocodeError('ERR_NOT_FOUND', `There is no ${request.method} ${request.url.split('?')[0]}.`, {
        remedy: 'The routes are listed in /api/openapi.json.',
      }),
      request,
    ),
  );
}

function answer(reply: FastifyReply, error: AutocodeError, request: FastifyRequest): FastifyReply {
  const body: ErrorBody = {
    error: {
      code: error.code,
      message: error.message,
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      ...(error.details === undefined ? {} : { details: error.details }),
      requestId: request.id,
    },
  };
  return reply.code(error.status).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
}

/** The coded error behind whatever was thrown. */
export function asAutocodeError(error: FastifyError): AutocodeError {
  if (error instanceof AutocodeError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidInput(error);
  const code = FASTIFY_CODES[error.code];
  if (code !== undefined) return new AutocodeError(code.code, error.message, { remedy: code.remedy, cause: error });
  if (DATABASE_AWAY.test(sqlState(error))) {
    return new AutocodeError('ERR_DATABASE', 'The database does not answer.', {
      remedy: 'Try again in some seconds; `autocode status` tells how it is.',
      cause: error,
    });
  }
  if ((error.statusCode ?? 500) < 500) return new AutocodeError('ERR_INVALID_INPUT', error.message, { cause: error });
  return new AutocodeError('ERR_INTERNAL', 'Something went wrong inside Autocode.', {
    remedy: 'The log has the request id and the cause: `logs/orchestrator` in the data directory.',
    cause: error,
  });
}

const DATABASE_AWAY = /^(08|57P|53|ECONNREFUSED|ECONNRESET|ENOENT|EPIPE)/;

const FASTIFY_CODES: Record<string, { code: 'ERR_BODY_NOT_JSON' | 'ERR_BODY_TOO_LARGE'; remedy: string }> = {
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'ERR_BODY_NOT_JSON', remedy: 'Send one JSON document in UTF-8.' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'ERR_BODY_NOT_JSON', remedy: 'Send one JSON document in UTF-8.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'ERR_BODY_NOT_JSON', remedy: 'Send it with content-type: application/json.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'ERR_BODY_NOT_JSON', remedy: 'Content-length and body disagree; send the whole body.' },
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'ERR_BODY_TOO_LARGE', remedy: 'Shorten it, or raise api.bodyLimitBytes in the configuration.' },
};

interface Issue {
  instancePath: string;
  message?: string;
}

function invalidInput(error: FastifyError & { validation: Issue[]; validationContext?: string }): AutocodeError {
  const problems = error.validation.map((issue) => ({
    path: issue.instancePath.replace(/^\//, '').replaceAll('/', '.') || '(root)',
    message: issue.message ?? 'is not valid',
  }));
  const where = error.validationContext === 'params' ? 'path' : (error.validationContext ?? 'request');
  return new AutocodeError(
    'ERR_INVALID_INPUT',
    `The ${where} is not valid: ${problems.map((problem) => `${problem.path}: ${problem.message}`).join('; ')}.`,
    { remedy: 'Mend the named fields; the shapes are in /api/openapi.json.', details: problems, cause: error },
  );
}
