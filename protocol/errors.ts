// Every error that a user can meet: its code, HTTP status, CLI exit code and, where one sentence fits all cases, the remedy.
// Used by all parts; api/ turns it into an answer, cli/ into text and an exit code.
import { z } from 'zod';

interface ErrorKind {
  /** HTTP status of the answer. */
  status: number;
  /** Exit code of the CLI: 1 failed, 2 wrong use, 3 not found, 4 not allowed, 5 conflict, 6 not available. */
  exit: number;
}

/** The table of codes; append only, since scripts match on them. */
export const ERRORS = {
  ERR_INVALID_INPUT: { status: 400, exit: 2 },
  ERR_BODY_NOT_JSON: { status: 400, exit: 2 },
  ERR_BODY_TOO_LARGE: { status: 413, exit: 2 },
  ERR_UNAUTHENTICATED: { status: 401, exit: 4 },
  ERR_FORBIDDEN: { status: 403, exit: 4 },
  ERR_NOT_FOUND: { status: 404, exit: 3 },
  ERR_CONFLICT: { status: 409, exit: 5 },
  ERR_STATE: { status: 409, exit: 5 },
  ERR_STALE_FENCE: { status: 409, exit: 5 },
  ERR_LOG_GAP: { status: 409, exit: 5 },
  ERR_LOG_INCOMPLETE: { status: 409, exit: 5 },
  ERR_RATE_LIMITED: { status: 429, exit: 6 },
  ERR_PROTOCOL_VERSION: { status: 426, exit: 6 },
  ERR_CONFIG: { status: 500, exit: 2 },
  ERR_DATA_DIRECTORY: { status: 500, exit: 6 },
  ERR_DAEMON_RUNNING: { status: 409, exit: 5 },
  ERR_DAEMON_NOT_RUNNING: { status: 503, exit: 6 },
  ERR_PORT_TAKEN: { status: 500, exit: 6 },
  ERR_DISK_FULL: { status: 507, exit: 6 },
  ERR_DATABASE: { status: 503, exit: 6 },
  ERR_MIGRATION: { status: 500, exit: 6 },
  ERR_REPOSITORY_UNREACHABLE: { status: 422, exit: 2 },
  ERR_REPOSITORY_EMPTY: { status: 422, exit: 2 },
  ERR_REPOSITORY_DIRTY: { status: 422, exit: 2 },
  ERR_BRANCH_UNKNOWN: { status: 422, exit: 2 },
  ERR_BRANCH_CHECKED_OUT: { status: 409, exit: 5 },
  ERR_MERGE_CONFLICT: { status: 409, exit: 5 },
  ERR_PROJECT_FILE: { status: 422, exit: 2 },
  ERR_NOT_TRUSTED: { status: 422, exit: 2 },
  ERR_AGENT_UNKNOWN: { status: 422, exit: 2 },
  ERR_AGENT_MISSING: { status: 422, exit: 6 },
  ERR_AGENT_FAILED: { status: 500, exit: 1 },
  ERR_MODEL_UNKNOWN: { status: 404, exit: 2 },
  ERR_NO_MODEL: { status: 422, exit: 2 },
  ERR_MODEL_UNSUITED: { status: 422, exit: 2 },
  ERR_ENGINE_UNAVAILABLE: { status: 502, exit: 6 },
  ERR_ENGINE_BUSY: { status: 429, exit: 6 },
  ERR_RUN_LIMIT: { status: 403, exit: 6 },
  ERR_BUDGET: { status: 402, exit: 6 },
  ERR_LOOP: { status: 403, exit: 1 },
  ERR_RECORDING_LEFT: { status: 422, exit: 1 },
  ERR_SECRET: { status: 500, exit: 6 },
  ERR_BACKUP: { status: 500, exit: 1 },
  ERR_SANDBOX: { status: 500, exit: 6 },
  ERR_FORGE_UNAVAILABLE: { status: 502, exit: 6 },
  ERR_FORGE_DENIED: { status: 403, exit: 4 },
  ERR_FORGE_REFUSED: { status: 409, exit: 5 },
  ERR_TASK_FAILED: { status: 500, exit: 1 },
  ERR_METHOD: { status: 405, exit: 2 },
  ERR_REQUEST_TIMEOUT: { status: 408, exit: 6 },
  ERR_HEADERS_TOO_LARGE: { status: 431, exit: 2 },
  ERR_WEIGHTS: { status: 422, exit: 2 },
  ERR_HUB_UNAVAILABLE: { status: 502, exit: 6 },
  ERR_TLS: { status: 502, exit: 6 },
  ERR_NOMAD_UNAVAILABLE: { status: 502, exit: 6 },
  ERR_NOMAD_DENIED: { status: 403, exit: 4 },
  ERR_NOMAD_JOB: { status: 422, exit: 2 },
  ERR_NOMAD_REFUSED: { status: 502, exit: 1 },
  ERR_NO_CAPACITY: { status: 409, exit: 6 },
  ERR_ENVIRONMENT: { status: 422, exit: 2 },
  ERR_EGRESS_DENIED: { status: 403, exit: 4 },
  ERR_FIREWALL: { status: 500, exit: 6 },
  ERR_VAULT_UNAVAILABLE: { status: 503, exit: 6 },
  ERR_VAULT_DENIED: { status: 403, exit: 4 },
  ERR_ELASTICSEARCH_UNAVAILABLE: { status: 503, exit: 6 },
  ERR_ELASTICSEARCH_DENIED: { status: 403, exit: 4 },
  ERR_ELASTICSEARCH_REFUSED: { status: 502, exit: 1 },
  ERR_SOURCE_UNAVAILABLE: { status: 502, exit: 6 },
  ERR_SOURCE_DENIED: { status: 403, exit: 4 },
  ERR_PROVIDER_UNAVAILABLE: { status: 502, exit: 6 },
  ERR_INTERNAL: { status: 500, exit: 1 },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** An error with a code of the table. The message says what happened and to what; the remedy says what to do. */
export class AutocodeError extends Error {
  override readonly name = 'AutocodeError';
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  /** Machine-readable particulars, shown in the API's answer (never a secret). */
  readonly details: unknown;

  constructor(
    code: ErrorCode,
    message: string,
    options: { remedy?: string; details?: unknown; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.details = options.details;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** The body of every answer that is not a success. */
export const ErrorBody = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      remedy: z.string().optional(),
      details: z.unknown().optional(),
      requestId: z.string().optional(),
    }),
  })
  .meta({ id: 'Error' });
export type ErrorBody = z.infer<typeof ErrorBody>;

/** Turns the API's error body back into the error (CLI, worker). */
export function errorFromBody(body: ErrorBody, fallbackStatus: number): AutocodeError {
  const { code, message, remedy, details } = body.error;
  const known =
    code in ERRORS ? (code as ErrorCode) : fallbackStatus === 404 ? 'ERR_NOT_FOUND' : 'ERR_INTERNAL';
  return new AutocodeError(known, message, { ...(remedy === undefined ? {} : { remedy }), details });
}
