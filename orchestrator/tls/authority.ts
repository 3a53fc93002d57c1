// The appliance's own certificate authority and the certificate of its server, in `<dataDir>/tls`: authority.pem (key and
// certificate, never leaves), ca.crt (the certificate alone), server.pem (key and certificate). Used by identity.ts and the CLI.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import { writeFileAtomic } from '../config/atomic-file.ts';
import { lockDirectory } from '../config/directory-lock.ts';
import { makeAuthority, makeServerCertificate, type KeyedCertificate } from './certificate.ts';

/** What a server shows, and what its clients trust. */
export interface Identity extends KeyedCertificate {
  /** Certificate of the authority, PEM. */
  authority: string;
}

const DAY_MS = 86_400_000;
const SERVER_DAYS = 90;
const RENEWED_BEFORE_DAYS = 30;
const LOCK_MS = 10_000;

/** The identity for a server with these names; made at the first start, renewed before it ends or when it lacks a name. */
export async function ownIdentity(directory: string, names: string[], now: Date): Promise<Identity> {
  const kept = readIdentity(directory);
  if (kept !== null && serves(kept, names, now)) return kept;
  return await underLock(directory, async () => {
    const again = readIdentity(directory); // another process may have been first
    if (again !== null && serves(again, names, now)) return again;
    return await renew(directory, names, now);
  });
}

/** A new key and certificate for the server; with `authority` a new authority too, which no worker knows yet. */
export async function rotate(
  directory: string,
  names: string[],
  { now, authority }: { now: Date; authority: boolean },
): Promise<Identity> {
  return await underLock(directory, async () => {
    if (authority) await newAuthority(directory, now);
    return await renew(directory, names, now);
  });
}

/** An identity for another server with these names, by the same authority; kept by whoever asked for it. */
export async function identityFor(
  directory: string,
  names: string[],
  { now, days }: { now: Date; days: number },
): Promise<Identity> {
  return await underLock(directory, async () => await issue(directory, names, { now, days }));
}

async function renew(directory: string, names: string[], now: Date): Promise<Identity> {
  const made = await issue(directory, names, { now, days: SERVER_DAYS });
  await writeFileAtomic(join(directory, 'server.pem'), made.key + made.certificate);
  await writeFileAtomic(join(directory, 'ca.crt'), made.authority, 0o644);
  return made;
}

async function issue(
  directory: string,
  names: string[],
  { now, days }: { now: Date; days: number },
): Promise<Identity> {
  const kept = readPair(join(directory, 'authority.pem')) ?? (await newAuthority(directory, now));
  const { subject } = new X509Certificate(kept.certificate);
  const issuer = { name: subject.replace(/^CN=/, ''), key: createPrivateKey(kept.key) };
  const made = await makeServerCertificate(names, issuer, { now, days });
  return { ...made, authority: kept.certificate };
}

async function newAuthority(directory: string, now: Date): Promise<KeyedCertificate> {
  const made = await makeAuthority(`Autocode ${now.toISOString().slice(0, 19)}`, now);
  await writeFileAtomic(join(directory, 'authority.pem'), made.key + made.certificate);
  return made;
}

function readIdentity(directory: string): Identity | null {
  const authority = readPair(join(directory, 'authority.pem'));
  const server = readPair(join(directory, 'server.pem'));
  return authority === null || server === null ? null : { ...server, authority: authority.certificate };
}

// Only the certificate has to be from the authority that is there now, in time, and for all names.
function serves({ certificate, authority }: Identity, names: string[], now: Date): boolean {
  const server = new X509Certificate(certificate);
  return (
    server.verify(new X509Certificate(authority).publicKey) &&
    new Date(server.validTo).getTime() - now.getTime() > RENEWED_BEFORE_DAYS * DAY_MS &&
    names.every((name) => (isIP(name) === 0 ? server.checkHost(name) : server.checkIP(name)) !== undefined)
  );
}

function readPair(file: string): KeyedCertificate | null {
  if (!existsSync(file)) return null;
  const text = readFileSync(file, 'utf8');
  const end = text.indexOf('-----BEGIN CERTIFICATE-----');
  if (end > 0) return { key: text.slice(0, end), certificate: text.slice(end) };
  throw new AutocodeError('ERR_DATA_DIRECTORY', `${file} does not hold a key and its certificate.`, {
    remedy: 'Bring it back from a backup, or remove it: then a new one is made, and workers join again.',
  });
}

// Two daemons of one data directory (roles), or a daemon and the CLI.
async function underLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  for (const giveUp = performance.now() + LOCK_MS; ; await delay(50)) {
    const lock = await lockDirectory(directory, 'tls').catch((error: unknown) => {
      if (performance.now() > giveUp) throw error;
    });
    if (lock === undefined) continue;
    try {
      return await work();
    } finally {
      await lock.release();
    }
  }
}
