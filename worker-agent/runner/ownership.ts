// Which refusals mean that a run is no longer ours. Used by the lease, the log shipper and the report.
import { AutocodeError, type ErrorCode } from '../../protocol/errors.ts';

const NOT_OURS: readonly ErrorCode[] = [
  'ERR_STALE_FENCE',
  'ERR_STATE',
  'ERR_UNAUTHENTICATED',
  'ERR_FORBIDDEN',
  'ERR_NOT_FOUND',
];

/** True when the orchestrator says that the run has ended, was given away, or never was its own. */
export function isNotOurs(error: unknown): error is AutocodeError {
  return error instanceof AutocodeError && NOT_OURS.includes(error.code);
}
