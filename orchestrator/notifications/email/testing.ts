// What tests of email work with: a real SMTP server on loopback that answers as it is told.
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { makeAuthority, makeServerCertificate } from '../../tls/certificate.ts';

/** Who may sign in there. */
export const USER = 'autocode';
export const PASSWORD = 'correct horse battery';

export interface Mail {
  from: string;
  to: string;
  raw: string;
}

export interface MailServer extends AsyncDisposable {
  port: number;
  /** Of the authority that signed its certificate. */
  authority: string;
  received: Mail[];
  /** Codes that the next recipients and letters are refused with, in their order; 0: taken. */
  recipients: number[];
  letters: number[];
}

/** Starts it; `names` are those of its certificate. */
export async function mailServer({ tls = 'starttls', names = ['localhost'] } = {}): Promise<MailServer> {
  const now = new Date();
  const name = 'Test authority';
  const authority = await makeAuthority(name, now);
  const issuer = { name, key: createPrivateKey(authority.key) };
  const { key, certificate: cert } = await makeServerCertificate(names, issuer, { now, days: 1 });
  const made = { received: [] as Mail[], recipients: [] as number[], letters: [] as number[] };
  const refusal = (code: number | undefined, words: string) =>
    (code ?? 0) === 0 ? null : Object.assign(new Error(words), { responseCode: code });
  const server = new SMTPServer({
    secure: tls === 'implicit',
    disabledCommands: tls === 'none' ? ['STARTTLS'] : [],
    allowInsecureAuth: tls === 'none',
    authOptional: true,
    key,
    cert,
    logger: false,
    onAuth: ({ username, password }, _session, callback) =>
      username === USER && password === PASSWORD
        ? callback(null, { user: username })
        : callback(refusal(535, `not the password: ${password}`)),
    onRcptTo: (_address, _session, callback) =>
      callback(refusal(made.recipients.shift(), 'no such\u202e user')),
    onData: (stream, { envelope }, callback) => {
      let raw = '';
      stream.on('data', (chunk: Buffer) => (raw += chunk.toString()));
      stream.on('end', () => {
        const refused = refusal(made.letters.shift(), 'not now');
        if (refused !== null) return callback(refused);
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        made.received.push({ from, to: envelope.rcptTo.map(({ address }) => address).join(), raw });
        callback(null);
      });
    },
  });
  server.on('error', () => {}); // a client that trusts nobody ends the handshake
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    ...made,
    port: (server.server.address() as AddressInfo).port,
    authority: authority.certificate,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
