// What it means when a connection over TLS is refused by this side: the codes of OpenSSL and Node.js as sentences.
// Used by the worker and its runners, and by the CLI.
import { AutocodeError } from './errors.ts';

type Words = [what: string, remedy: string];

const JOIN_AGAIN =
  'Name its authority (`caFile` of a worker, --ca-file of the CLI), or join it again as `autocode worker invite` prints it there. If nothing was changed there, somebody may stand in between.';
const AUTHORITY: Words = ['is not signed by the authority that this machine knows', JOIN_AGAIN];
const PLAIN: Words = [
  'is no certificate: what listens there does not speak TLS',
  'Use the port `tls.port` of the orchestrator (`autocode tls show` names it), or http:// for the other one.',
];
const COMPARE =
  'Compare the clocks of both machines (`date -u`) and let both be set (`timedatectl set-ntp true`)';

const FAILURES: Record<string, Words> = {
  SELF_SIGNED_CERT_IN_CHAIN: AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: AUTHORITY,
  CERT_SIGNATURE_FAILURE: AUTHORITY,
  CERT_UNTRUSTED: AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'is for other names than this address',
    'Use one of its names (`autocode tls show` lists them), or add this one to `tls.names` where the orchestrator runs.',
  ],
  CERT_NOT_YET_VALID: ["is not yet valid by this machine's clock", `${COMPARE}.`],
  CERT_HAS_EXPIRED: [
    "has expired by this machine's clock",
    `${COMPARE}. If they agree, look at \`autocode tls show\` where the orchestrator runs.`,
  ],
  EPROTO: PLAIN,
  ERR_SSL_WRONG_VERSION_NUMBER: PLAIN,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: PLAIN,
};

/** The failure of a connection in words; undefined when it is not one of TLS. */
export function tlsFailure(url: string, error: unknown): AutocodeError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const words = FAILURES[(cause as NodeJS.ErrnoException).code ?? ''];
    if (words === undefined) continue;
    const clock = words[0].includes('clock') ? ` (${new Date().toISOString()})` : '';
    const message = `The certificate of ${url} ${words[0]}${clock}.`;
    return new AutocodeError('ERR_TLS', message, { remedy: words[1], cause: error });
  }
  return undefined;
}
