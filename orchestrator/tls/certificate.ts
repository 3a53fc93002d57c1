// Certificates of the appliance's own authority: X.509 version 3, ECDSA P-256 with SHA-256. Used by authority.ts and egress/authority.ts.
import { createPublicKey, KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type * as x509 from '@peculiar/x509';

export interface KeyedCertificate {
  /** PEM. */
  certificate: string;
  /** PEM, PKCS #8. */
  key: string;
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 20 * 365;
/** So that a machine whose clock is behind takes it. */
const BACKDATED_MS = DAY_MS;
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
const FOR_SERVERS = '1.3.6.1.5.5.7.3.1';

/** A new authority: it signs itself. */
export async function makeAuthority(name: string, now: Date): Promise<KeyedCertificate> {
  const x509 = await library();
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: SIGNATURE,
    ...validity(now, AUTHORITY_DAYS),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: privatePem(keys) };
}

/** A certificate for a server with these names and IP addresses. */
export async function makeServerCertificate(
  names: string[],
  issuer: { name: string; key: KeyObject },
  { now, days }: { now: Date; days: number },
): Promise<KeyedCertificate> {
  const x509 = await library();
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: ['autocode'] }],
    issuer: [{ CN: [issuer.name] }],
    publicKey: keys.publicKey,
    signingKey: issuer.key.toCryptoKey(CURVE, false, ['sign']),
    signingAlgorithm: SIGNATURE,
    ...validity(now, days),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([FOR_SERVERS]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(
        createPublicKey(issuer.key).toCryptoKey(CURVE, true, ['verify']),
      ),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: privatePem(keys) };
}

// Loaded where a certificate is made, which is seldom. It wants the metadata of decorators before it.
async function library(): Promise<typeof x509> {
  await import('reflect-metadata');
  return await import('@peculiar/x509');
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
}

function privatePem({ privateKey }: webcrypto.CryptoKeyPair): string {
  return KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }) as string;
}

function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(now.getTime() - BACKDATED_MS),
    notAfter: new Date(now.getTime() + days * DAY_MS),
  };
}
