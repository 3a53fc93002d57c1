// What a failed call to Elasticsearch means, and what to do about it. Used by whoever calls it.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { AuditSettings } from '../../config/audit-settings.ts';

/** As the client throws what is no success. */
const Answered = z.object({
  name: z.literal('ResponseError'),
  statusCode: z.int(),
  body: z.unknown(),
});
const Said = z.object({ error: z.object({ type: z.string(), reason: z.string().nullish() }) });

// The client keeps of a failed connection its words alone.
const UNTRUSTED = /certificate|self.signed|altnames?|issuer|wrong version number|packet length/i;

/** An error of the table for whatever a call threw. */
export function searchFailure(error: unknown, { url, caFile, ...settings }: AuditSettings): AutocodeError {
  if (error instanceof AutocodeError) return error;
  const answered = Answered.safeParse(error);
  if (answered.success) {
    const { statusCode, body } = answered.data;
    const said = Said.safeParse(body);
    const { type, reason } = said.success ? said.data.error : { type: '', reason: undefined };
    return refusal(statusCode, type, reason ?? '', { url, ...settings });
  }
  const { name, message } = error as Error;
  if (name === 'ConnectionError' && UNTRUSTED.test(message))
    return new AutocodeError('ERR_TLS', `The certificate of ${url} is not trusted: ${message}.`, {
      remedy: `Let egress.audit.caFile (${caFile ?? 'not set'}) be the authority of Elasticsearch's certificate, and egress.audit.url one of its names.`,
      cause: error,
    });
  const reason = name === 'TimeoutError' ? 'no answer in time' : message.replace(/ - Local: .*/, '');
  return unavailable(
    url,
    `does not answer (${reason})`,
    'Start it (`systemctl start elasticsearch`), or correct egress.audit.url.',
    error,
  );
}

type Address = Pick<AuditSettings, 'url' | 'apiKeySecret' | 'username' | 'passwordSecret'>;

/** What a status and a type of error mean, of a whole answer or of one record in it. */
export function refusal(status: number, type: string, reason: string, address: Address): AutocodeError {
  const { url } = address;
  if (status === 401)
    return denied(url, `does not accept ${credential(address)} (${reason})`, `${renew(address)}`);
  if (/read-only|flood-stage|cluster_block/.test(`${type} ${reason}`))
    return unavailable(
      url,
      `takes nothing more: ${reason}`,
      'Free its disk, or let indices go earlier (egress.audit.retentionDays); a block that a person has set is taken away with PUT autocode-traffic/_settings {"index.blocks.read_only": null, "index.blocks.write": null}.',
    );
  if (status === 403)
    return denied(
      url,
      `does not permit it to ${credential(address)} (${reason})`,
      'Give it the privileges that docs/audit.md names.',
    );
  if (status === 429)
    return unavailable(
      url,
      `has too much to do (${reason})`,
      'It is tried again more slowly; give it more memory if this stays.',
    );
  if (status === 503 || status === 504)
    return unavailable(
      url,
      `has no shard to write to, or no master (${reason})`,
      'See GET _cluster/health and GET _cluster/allocation/explain; nothing is lost meanwhile.',
    );
  return new AutocodeError(
    'ERR_ELASTICSEARCH_REFUSED',
    `Elasticsearch at ${url} answers ${status} ${type}: ${reason}`,
    {
      remedy: 'See its log. `autocode egress audit setup` mends template, policy and alias.',
      details: { status, type },
    },
  );
}

function credential({ apiKeySecret, username }: Address): string {
  if (apiKeySecret !== undefined) return `the API key of the secret ${apiKeySecret}`;
  return username === undefined ? 'who has no credentials' : `the user ${username}`;
}

function renew({ apiKeySecret, passwordSecret }: Address): string {
  const name = apiKeySecret ?? passwordSecret;
  if (name === undefined) return 'Set egress.audit.apiKeySecret, or username and passwordSecret.';
  return `Put one that is valid there: \`autocode secret set ${name}\`. Nothing needs to be restarted.`;
}

function denied(url: string, what: string, remedy: string): AutocodeError {
  return new AutocodeError('ERR_ELASTICSEARCH_DENIED', `Elasticsearch at ${url} ${what}.`, { remedy });
}

function unavailable(url: string, what: string, remedy: string, cause?: unknown): AutocodeError {
  return new AutocodeError('ERR_ELASTICSEARCH_UNAVAILABLE', `Elasticsearch at ${url} ${what}.`, {
    remedy,
    cause,
  });
}
