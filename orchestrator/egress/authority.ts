// The certificate authority of the egress proxy: it signs, for the sandboxes alone, what the proxy answers for the servers outside. In
// `<dataDir>/egress/ca`; the key is read by the proxy and goes nowhere. Used by the daemon and the verbs of `egress ca`.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import { writeFileAtomic } from '../config/atomic-file.ts';
import { makeAuthority } from '../tls/certificate.ts';

export interface Authority {
  /** PEM. */
  certificate: string;
  subject: string;
  /** SHA-256 of the certificate. */
  fingerprint: string;
  validTo: string;
}

/** mitmproxy's own name for a file with key and certificate. */
const FILE = 'mitmproxy-ca.pem';

/** The authority that is there, or null. */
export function readAuthority(directory: string): Authority | null {
  const file = join(directory, FILE);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw cause;
  }
  const certificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/.exec(text)?.[0];
  if (certificate === undefined) {
    throw new AutocodeError('ERR_DATA_DIRECTORY', `${file} holds no certificate.`, {
      remedy: 'Bring it back from a backup, or make a new authority: `autocode egress ca rotate`.',
    });
  }
  const { subject, fingerprint256, validTo } = new X509Certificate(certificate);
  return { certificate, subject, fingerprint: fingerprint256, validTo: new Date(validTo).toISOString() };
}

/** The authority, which is made where there is none. */
export async function ensureAuthority(directory: string, now = new Date()): Promise<Authority> {
  return readAuthority(directory) ?? (await newAuthority(directory, now));
}

/** Makes a new one in the place of the old one, which nothing signs by any more. */
export async function newAuthority(directory: string, now = new Date()): Promise<Authority> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  const { key, certificate } = await makeAuthority(`Autocode egress ${now.toISOString().slice(0, 19)}`, now);
  await writeFileAtomic(join(directory, FILE), key + certificate);
  return readAuthority(directory)!;
}
