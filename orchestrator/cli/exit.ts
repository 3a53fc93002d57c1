// The one way out of the CLI: every error becomes text on stderr (and, with --json, an error body on stdout) and an exit code.
// Loaded by main.ts when something was thrown; verbs throw AutocodeError, or Exit when the outcome has been told already.
import { styleText } from 'node:util';
import { AutocodeError, ERRORS, type ErrorBody } from '../../protocol/errors.ts';
import { Exit, UsageError } from './command.ts';

/** Tells an error and answers with the exit code for it. */
export function report(error: unknown, options: { json: boolean; verbose: boolean }): number {
  if (error instanceof Exit) return error.code;
  const known = asAutocodeError(error);
  if (options.json) process.stdout.write(`${JSON.stringify(errorBody(known), null, 2)}\n`);
  const lines = [`${paint('red', 'error')}: ${known.message} ${paint('dim', `[${known.code}]`)}`];
  if (known.remedy !== undefined) lines.push(`  ${known.remedy}`);
  if (options.verbose) lines.push(...details(known));
  process.stderr.write(`${lines.join('\n')}\n`);
  return ERRORS[known.code].exit;
}

function errorBody(error: AutocodeError): ErrorBody {
  const { code, message, remedy, details } = error;
  return {
    error: {
      code,
      message,
      ...(remedy === undefined ? {} : { remedy }),
      ...(details === undefined ? {} : { details }),
    },
  };
}

function asAutocodeError(error: unknown): AutocodeError {
  if (error instanceof AutocodeError) return error;
  if (error instanceof UsageError) {
    return new AutocodeError('ERR_INVALID_INPUT', error.message, { remedy: `See \`${error.help} --help\`.` });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new AutocodeError('ERR_INTERNAL', `unexpected: ${message}`, {
    remedy:
      "Run it again with --verbose for the stack; the daemon's own log is under logs/orchestrator in the data directory.",
    cause: error,
  });
}

function details(error: AutocodeError): string[] {
  const lines = error.details === undefined ? [] : [JSON.stringify(error.details, null, 2)];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    lines.push(cause.stack ?? cause.message);
  return lines;
}

function paint(style: 'red' | 'dim', text: string): string {
  return styleText(style, text, { stream: process.stderr });
}
