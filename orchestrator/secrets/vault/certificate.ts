// The certificate of the appliance's Vault, by the appliance's own authority: made where there is none, renewed before its end.
// Used by `autocode secret setup`; vault/setup.sh puts it where Vault reads it.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomic } from '../../config/atomic-file.ts';
import { identityFor } from '../../tls/authority.ts';

const DAYS = 365;
const RENEWED_BEFORE_DAYS = 60;
const DAY_MS = 86_400_000;

/** Files in a directory of the daemon's. */
export interface VaultCertificate {
  certFile: string;
  keyFile: string;
  caFile: string;
  made: boolean;
}

/** Keeps server.crt, server.key and ca.crt in `directory` good for the host of the address, for this machine and for loopback. */
export async function vaultCertificate(
  directory: string,
  tlsDirectory: string,
  { address, now }: { address: string; now: Date },
): Promise<VaultCertificate> {
  const host = new URL(address).hostname.replaceAll(/[[\]]/g, '');
  const names = [...new Set([host, hostname(), 'localhost', '127.0.0.1'])];
  const files = {
    certFile: join(directory, 'server.crt'),
    keyFile: join(directory, 'server.key'),
    caFile: join(directory, 'ca.crt'),
  };
  if (isGood(files, host, now)) return { ...files, made: false };
  const { key, certificate, authority } = await identityFor(tlsDirectory, names, { now, days: DAYS });
  await writeFileAtomic(files.keyFile, key);
  await writeFileAtomic(files.caFile, authority, 0o644);
  await writeFileAtomic(files.certFile, certificate, 0o644);
  return { ...files, made: true };
}

function isGood(
  { certFile, keyFile, caFile }: Omit<VaultCertificate, 'made'>,
  host: string,
  now: Date,
): boolean {
  if (![certFile, keyFile, caFile].every((file) => existsSync(file))) return false;
  const certificate = new X509Certificate(readFileSync(certFile));
  return (
    certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile))) &&
    certificate.verify(new X509Certificate(readFileSync(caFile)).publicKey) &&
    new Date(certificate.validTo).getTime() - now.getTime() > RENEWED_BEFORE_DAYS * DAY_MS &&
    (certificate.checkHost(host) ?? certificate.checkIP(host)) !== undefined
  );
}
