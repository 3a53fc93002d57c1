// Sends a message by SMTP, one connection a message. Loaded where `notifications.email` is configured. Used by ../send.ts.
import { createTransport } from 'nodemailer';
import type { EmailSettings } from '../../config/notification-settings.ts';
import { requireSecret, type SecretManager } from '../../secrets/secret-manager.ts';
import type { Message } from '../message.ts';
import { later, never, type Outcome } from '../outcome.ts';
import { plainLine } from '../plain.ts';
import { letter } from './letter.ts';

/** As nodemailer throws it: its own code, the code of the system or of TLS, and what the server said to which command. */
interface SmtpError extends Error {
  code?: string;
  originalCode?: string;
  command?: string;
  responseCode?: number;
  response?: string;
}

const CERTIFICATES: Record<string, string> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for other names: use one of them in `notifications.email.host`',
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not yet valid: compare the clocks',
};
const UNKNOWN_AUTHORITY = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

/** A server that wants TLS from the beginning waits for it and says nothing. */
const GREETING_MS = 10_000;

/** Sends it once; an abort of `signal` is thrown. */
export async function sendEmail(
  { host, port, tls, user, secret, from }: EmailSettings,
  secrets: Pick<SecretManager, 'get'>,
  to: string,
  message: Message,
  signal: AbortSignal,
): Promise<Outcome> {
  const pass = user === undefined ? undefined : (await requireSecret(secrets, secret)).trim();
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(user === undefined || pass === undefined ? {} : { auth: { user, pass }, forceAuth: true }),
    greetingTimeout: GREETING_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({ ...letter(message, from, to), signal });
    return { sent: true };
  } catch (error) {
    signal.throwIfAborted();
    return refused(error as SmtpError, host);
  }
}

// What a server says of the recipient or of the letter is about this one; anything else would be said of each.
function refused(error: SmtpError, host: string): Outcome {
  const { code, command = '', responseCode = 0 } = error;
  const ofThisOne = command === 'DATA' || command.startsWith('RCPT');
  if (ofThisOne && responseCode >= 500) return never(said(error, host));
  if (ofThisOne && responseCode !== 421 && responseCode >= 400) return later(said(error, host));
  // Without its words, which could repeat what it was sent.
  if (code === 'EAUTH')
    return later(
      `${host} did not take the user or the password of \`notifications.email\`${responseCode > 0 ? `: ${responseCode}` : ''}.`,
      { away: true },
    );
  return later(responseCode > 0 && code !== 'ETLS' ? said(error, host) : unreached(error, host), {
    away: true,
  });
}

function said({ response = '' }: SmtpError, host: string): string {
  return `${host} said: ${plainLine(response, 300)}`;
}

function unreached({ code, originalCode = '', message }: SmtpError, host: string): string {
  if (UNKNOWN_AUTHORITY.has(originalCode))
    return `The certificate of ${host} is signed by an authority that is not known here: name its file in NODE_EXTRA_CA_CERTS of the daemon.`;
  const certificate = CERTIFICATES[originalCode];
  if (certificate !== undefined) return `The certificate of ${host} ${certificate}.`;
  if (/wrong version number|packet length too long/i.test(message))
    return `${host} does not begin with TLS at that port: use \`tls: starttls\`, or another port.`;
  if (/greeting never received/i.test(message))
    return `${host} says nothing at that port: if it wants TLS from the beginning, use \`tls: implicit\`.`;
  if (code === 'ETLS')
    return `${host} offers no STARTTLS, without which nothing is sent: ${plainLine(message, 200)}`;
  return `${host} could not be reached: ${originalCode === '' ? (code ?? 'no reason given') : originalCode}.`;
}
