// What `worker join` asks of the orchestrator: its authority, over a connection that nothing vouches for, and the exchange,
// over one that this authority does.
import { X509Certificate } from 'node:crypto';
import got, { type Response } from 'got';
import type { z } from 'zod';
import { AutocodeError, ErrorBody, errorFromBody } from '../../../protocol/errors.ts';
import { CertificateAuthority, WorkerJoined, type WorkerJoin } from '../../../protocol/joining.ts';
import { tlsFailure } from '../../../protocol/tls-failure.ts';
import { fingerprintOf } from '../../tls/identity.ts';

const PATIENCE_MS = 30_000;
/** From here on it is told: certificates and deadlines are near to being misjudged. */
const SKEW_MS = 60_000;

/** The authority of the orchestrator at `url`; refused unless it is the one with this fingerprint. */
export async function fetchAuthority(url: string, fingerprint: string): Promise<string> {
  const answer = await ask(url, 'certificate-authority', { https: { rejectUnauthorized: false } });
  const { certificate } = parsed(CertificateAuthority, answer, url);
  const found = fingerprintIn(certificate);
  if (found === fingerprint) return new X509Certificate(certificate).toString();
  throw new AutocodeError(
    'ERR_TLS',
    `The authority of ${url} is not the one of the invitation: its SHA-256 is ${found ?? 'none'}, wanted is ${fingerprint}.`,
    {
      remedy:
        'Nothing was sent to it. Compare with `autocode tls show` where the orchestrator runs. If that is the wanted one, somebody stands in between; if the authority was replaced since, invite again.',
    },
  );
}

/** Exchanges the invitation, over TLS that `authority` vouches for; `skewMs` is by how much the clocks differ, if by much. */
export async function exchange(
  url: string,
  authority: string,
  input: WorkerJoin,
): Promise<{ joined: WorkerJoined; skewMs: number }> {
  const asked = Date.now();
  const answer = await ask(url, 'worker-joins', {
    method: 'POST',
    json: input,
    https: { certificateAuthority: authority },
  });
  const there = Date.parse(answer.headers.date ?? '');
  const skew = Number.isNaN(there) ? 0 : (asked + Date.now()) / 2 - there;
  return {
    joined: parsed(WorkerJoined, answer, url),
    skewMs: Math.abs(skew) < SKEW_MS ? 0 : Math.round(skew),
  };
}

async function ask(
  url: string,
  path: string,
  options: { method?: 'POST'; json?: object; https: object },
): Promise<Response<string>> {
  try {
    return await got(`${url.replace(/\/+$/, '')}/api/v1/${path}`, {
      ...options,
      responseType: 'text',
      throwHttpErrors: false,
      followRedirect: false,
      retry: { limit: 0 },
      timeout: { request: PATIENCE_MS },
    });
  } catch (cause) {
    const { message } = cause as Error;
    throw (
      tlsFailure(url, cause) ??
      new AutocodeError('ERR_DAEMON_NOT_RUNNING', `The orchestrator at ${url} does not answer: ${message}.`, {
        remedy:
          'Check the address, that the daemon runs there with `tls` configured, and that no firewall is between. The same command may be given again.',
        cause,
      })
    );
  }
}

function parsed<S extends z.ZodType>(
  schema: S,
  { statusCode, body }: Response<string>,
  url: string,
): z.infer<S> {
  const document = jsonOf(body);
  if (statusCode < 400) {
    const result = schema.safeParse(document);
    if (result.success) return result.data;
  }
  const error = ErrorBody.safeParse(document);
  if (error.success) throw errorFromBody(error.data, statusCode);
  throw new AutocodeError(
    'ERR_PROTOCOL_VERSION',
    `What answers at ${url} is not an orchestrator of this version.`,
    {
      remedy: 'Check the address, and that machine and orchestrator have versions one apart at most.',
    },
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fingerprintIn(certificate: string): string | null {
  try {
    return fingerprintOf(certificate);
  } catch {
    return null;
  }
}
