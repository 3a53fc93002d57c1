// What Nomad refuses, and that it is away, as errors that say what to do. Used by http.ts; `jobMistake` by client.ts.
import type { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';

export interface Request {
  address: string;
  method: string;
  path: string;
  needs: string;
}

/** An answer of Nomad that is none of success. `known`: whether it knows the token, where that was asked. */
export function refusal(request: Request, status: number, body: string, known = true): AutocodeError {
  const { address, method, path, needs } = request;
  const words = body.trim().slice(0, 2000);
  const details = { status, path: `/v1/${path}` };
  if (!known)
    return new AutocodeError('ERR_NOMAD_DENIED', `Nomad at ${address} does not know the token: ${words}`, {
      remedy:
        'Make one (`nomad acl token create`, docs/fleet.md) and put it there: `autocode secret set nomad-token`, or the name that nomad.tokenSecret has.',
      details,
    });
  if (status === 401 || status === 403)
    return new AutocodeError(
      'ERR_NOMAD_DENIED',
      `Nomad does not permit ${method} /v1/${path} to this token: ${words}`,
      { remedy: `Give its policy the capability ${needs} (docs/fleet.md has the whole policy).`, details },
    );
  if (status === 404)
    return new AutocodeError('ERR_NOT_FOUND', `Nomad has no such thing: ${words || path}`, { details });
  if (/job modify index|cas error|conflict/i.test(words) || status === 409)
    return new AutocodeError('ERR_CONFLICT', `Somebody else changed it in Nomad meanwhile: ${words}`, {
      remedy: 'Look at the difference again and repeat the command.',
      details,
    });
  if (/HTTP request to an HTTPS server/.test(words))
    return new AutocodeError('ERR_NOMAD_UNAVAILABLE', `Nomad at ${address} speaks TLS.`, {
      remedy: 'Begin nomad.address with https:// and set nomad.caFile.',
    });
  if (/No cluster leader|No path to region|rpc error/i.test(words) || AWAY.has(status))
    return new AutocodeError('ERR_NOMAD_UNAVAILABLE', `Nomad at ${address} cannot answer now: ${words}`, {
      remedy: 'Look at its servers (`nomad server members`); what waits for it goes on by itself.',
      details,
    });
  return new AutocodeError('ERR_NOMAD_REFUSED', `Nomad refuses ${method} /v1/${path}: ${words}`, { details });
}

const AWAY = new Set([429, 502, 503, 504]);

/** No answer came. */
export function unreachable(address: string, cause: unknown): AutocodeError {
  const { code, message = String(cause) } = cause as { code?: string; message?: string };
  const remedy = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_VERIFY/.test(code ?? '')
    ? 'Set nomad.caFile to the certificate of the authority that signed the server, and nomad.address to a name that is in it.'
    : code === 'ECONNRESET' && address.startsWith('http:')
      ? 'If it speaks TLS, begin nomad.address with https:// and set nomad.caFile.'
      : 'Check nomad.address and that a server runs there; what waits for it goes on by itself.';
  return new AutocodeError('ERR_NOMAD_UNAVAILABLE', `Nomad at ${address} is not reached: ${message}`, {
    remedy,
    cause: new Error(`${code ?? 'failed'}: ${message}`), // that of the HTTP client holds the token
  });
}

/** It answered, but not as Nomad does. */
export function strange(address: string, what: string, cause: z.ZodError): AutocodeError {
  return new AutocodeError(
    'ERR_NOMAD_UNAVAILABLE',
    `${address} answers ${what} in another way than Nomad 1.11 does.`,
    {
      remedy: 'Check that nomad.address is the API of Nomad, and its version.',
      cause,
    },
  );
}

const PLACE = /^[^\s:]+:(\d+),(\d+)(?:-\S+)?: ([\s\S]*)$/;

/** A job file that Nomad could not read: where in which file. */
export function jobMistake(file: string, words: string): AutocodeError {
  const said = words.replace(/^Failed to parse job: /, '');
  const mistakes = said.split(/\n(?=\S+:\d+,\d+)/).map((line) => {
    const [, row, column, message] = PLACE.exec(line.trim().replace(/^[*\s]+/, '')) ?? [];
    return row === undefined
      ? { file, message: line.trim() }
      : { file, line: Number(row), column: Number(column), message: message!.trim() };
  });
  const told = mistakes.map((mistake) =>
    'line' in mistake ? `${file}:${mistake.line}:${mistake.column}: ${mistake.message}` : mistake.message,
  );
  return new AutocodeError('ERR_NOMAD_JOB', `The job file cannot be used:\n  ${told.join('\n  ')}`, {
    remedy: 'Correct it there, or take the one that ships (nomad/jobs).',
    details: { mistakes },
  });
}
