// Whom this machine is towards workers: the certificate of its own authority, or one of the user's. Kept fresh while the
// daemon runs: what changes in the files is served without a restart. Used by daemon/worker-tls.ts and the CLI.
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { AutocodeError } from '../../protocol/errors.ts';
import type { TlsSettings } from '../config/tls-settings.ts';
import { ownIdentity, type Identity } from './authority.ts';

/** The identity as it is now; `directory` is where the own authority is kept. */
export async function identityOf(directory: string, settings: TlsSettings, now: Date): Promise<Identity> {
  const { certFile, keyFile, caFile } = settings;
  if (certFile === undefined || keyFile === undefined || caFile === undefined)
    return await ownIdentity(directory, namesOf(settings), now);
  const identity = {
    certificate: read('tls.certFile', certFile),
    key: read('tls.keyFile', keyFile),
    authority: read('tls.caFile', caFile),
  };
  check(identity, certFile, keyFile);
  return identity;
}

/** The names and addresses of this machine for workers, the one for invitations first. */
export function namesOf({ host, names }: Pick<TlsSettings, 'host' | 'names'>): string[] {
  const every = host === '0.0.0.0' || host === '::';
  const addresses = every ? Object.values(networkInterfaces()).flatMap((each) => each ?? []) : [];
  const own = addresses
    .filter(({ address }) => !address.startsWith('fe80:'))
    .toSorted((one, other) => Number(one.internal) - Number(other.internal))
    .map(({ address }) => address);
  return [...new Set([...names, ...(every ? own : [host]), hostname()])];
}

/** What an authority is known by: SHA-256 of its certificate, in hexadecimal. */
export function fingerprintOf(authority: string): string {
  return createHash('sha256').update(new X509Certificate(authority).raw).digest('hex');
}

export interface KeptIdentity {
  current(): Identity;
  /** Calls with each new identity. */
  onChange(listener: (identity: Identity) => void): void;
  stop(): void;
}

const LOOK_MS = 5_000;

/** Looks every few seconds whether there is another, renewing it in time; `warn` hears why one cannot be used. */
export async function keepIdentity(
  look: () => Promise<Identity>,
  warn: (message: string) => void,
): Promise<KeptIdentity> {
  let current = await look();
  let told = '';
  const listeners: ((identity: Identity) => void)[] = [];
  const refresh = async () => {
    const next = await look();
    told = '';
    if (next.certificate === current.certificate && next.authority === current.authority) return;
    current = next;
    for (const listener of listeners) listener(next);
  };
  const timer = setInterval(() => {
    refresh().catch(({ message }: Error) => {
      if (message !== told) warn(`the certificate for workers stays as it is: ${message}`);
      told = message;
    });
  }, LOOK_MS);
  timer.unref();
  return {
    current: () => current,
    onChange: (listener) => void listeners.push(listener),
    stop: () => clearInterval(timer),
  };
}

function read(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AutocodeError('ERR_CONFIG', `${key} cannot be read: ${(cause as Error).message}.`, {
      remedy: 'Let the user of the daemon read it, or correct the path.',
      cause,
    });
  }
}

function check({ certificate, key, authority }: Identity, certFile: string, keyFile: string): void {
  try {
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
      throw new Error(`the key in ${keyFile} is not that of the certificate in ${certFile}`);
    if (authority.split('-----BEGIN CERTIFICATE-----').length !== 2)
      throw new Error('tls.caFile has to hold one certificate');
    if (!new X509Certificate(authority).ca) throw new Error('the certificate in tls.caFile is no authority');
  } catch (cause) {
    throw new AutocodeError('ERR_CONFIG', `The certificate cannot be used: ${(cause as Error).message}.`, {
      remedy: 'Correct tls.certFile, tls.keyFile and tls.caFile (PEM), or leave all three out.',
      cause,
    });
  }
}
