// What a refused or failed call to Vault means, and what to do about it. Used by client.ts; the codes by who handles some.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { tlsFailure } from '../../../protocol/tls-failure.ts';

export interface FailedCall {
  address: string;
  method: string;
  path: string;
  caFile?: string | undefined;
}

/** As node-vault throws what is not 200 or 204. */
const Answered = z.object({
  message: z.string(),
  response: z.object({
    statusCode: z.int(),
    body: z
      .object({ errors: z.array(z.string()).nullish() })
      .optional()
      .catch(undefined),
  }),
});

/** An error of the table for whatever a call threw; `details.status` is Vault's own, where it has answered. */
export function vaultFailure(error: unknown, call: FailedCall): AutocodeError {
  if (error instanceof AutocodeError) return error;
  const { address, path, caFile } = call;
  const answered = Answered.safeParse(error);
  if (answered.success) {
    const { statusCode, body } = answered.data.response;
    return refusal(statusCode, body?.errors?.join('; ') ?? '', call);
  }
  if (error instanceof z.ZodError)
    return unavailable(address, `gives an answer for ${path} that is not understood`, {
      remedy: 'See that secrets.vault.address is a Vault or OpenBao, and of a version that is supported.',
    });
  const untrusted = tlsFailure(address, error);
  if (untrusted !== undefined)
    return new AutocodeError('ERR_TLS', untrusted.message, {
      remedy: `Let secrets.vault.caFile (${caFile ?? 'not set'}) be the authority of Vault's certificate, and secrets.vault.address one of its names.`,
      cause: error,
    });
  return unavailable(address, `does not answer (${reasonOf(error)})`, {
    remedy: 'Start it (`systemctl start autocode-vault`), or correct secrets.vault.address.',
    cause: error,
  });
}

function refusal(status: number, said: string, { address, method, path }: FailedCall): AutocodeError {
  const details = { status };
  if (/sealed/i.test(said) && status >= 500)
    return unavailable(address, 'is sealed', {
      remedy: 'Unseal it with its key shares: `autocode secret unseal`. Nothing needs to be restarted.',
      details,
    });
  if (/not (yet )?initialized/i.test(said))
    return unavailable(address, 'is not initialised', { remedy: 'Run `autocode secret setup`.', details });
  if (status === 403)
    return new AutocodeError('ERR_VAULT_DENIED', `Vault at ${address} does not permit ${method} ${path}.`, {
      remedy: 'Look at the policies of the role that Autocode logs in by (docs/secrets.md).',
      details,
    });
  // All that Vault says when none of its audit devices takes the record of a request.
  if (status === 500 && /internal error|audit/i.test(said))
    return unavailable(address, `refuses every request (${said})`, {
      remedy:
        'Most likely none of its audit devices can be written: free the disk of its audit log, or see the log of Vault.',
      details,
    });
  if (status >= 500 || status === 429)
    return unavailable(address, `answers ${status} (${said})`, { remedy: 'See the log of Vault.', details });
  return new AutocodeError(
    'ERR_SECRET',
    `Vault at ${address} refuses ${method} ${path}: ${said || status}.`,
    {
      remedy: 'See the log of Vault.',
      details,
    },
  );
}

function unavailable(
  address: string,
  what: string,
  more: { remedy: string; details?: unknown; cause?: unknown },
): AutocodeError {
  return new AutocodeError('ERR_VAULT_UNAVAILABLE', `Vault at ${address} ${what}.`, more);
}

/** The status that Vault answered with; undefined when it did not. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof AutocodeError)) return undefined;
  return (error.details as { status?: number } | undefined)?.status;
}

function reasonOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (cause.name === 'TimeoutError') return 'no answer in time';
    if (typeof code === 'string' && cause.cause === undefined) return code;
    if (cause.cause === undefined) return cause.message;
  }
  return String(error);
}
