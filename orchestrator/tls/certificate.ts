// Certificates of the appliance's own authority: X.509 version 3, ECDSA P-256 with SHA-256. Used by authority.ts.
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto';
import { isIP } from 'node:net';
import { addressBytes, bits, element, integer, octets, oid, sequence, set, text, time, yes } from './der.ts';

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
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** A new authority: it signs itself. */
export function makeAuthority(name: string, now: Date): KeyedCertificate {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = keyId(privateKey);
  const extensions = [
    extension('2.5.29.19', sequence(yes()), true), // basic constraints: an authority
    extension('2.5.29.15', Buffer.of(0x03, 2, 1, 0x06), true), // key usage: certificates and lists
    extension('2.5.29.14', octets(id)),
  ];
  const certificate = issue({
    subject: name,
    key: privateKey,
    extensions,
    now,
    days: AUTHORITY_DAYS,
    issuer: { name, key: privateKey },
  });
  return { certificate, key: pem(privateKey) };
}

/** A certificate for a server with these names and IP addresses. */
export function makeServerCertificate(
  names: string[],
  issuer: { name: string; key: KeyObject },
  { now, days }: { now: Date; days: number },
): KeyedCertificate {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const extensions = [
    extension('2.5.29.19', sequence(), true),
    extension('2.5.29.15', Buffer.of(0x03, 2, 7, 0x80), true), // key usage: signatures
    extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))), // for servers
    extension('2.5.29.17', sequence(...names.map(alternativeName))),
    extension('2.5.29.14', octets(keyId(privateKey))),
    extension('2.5.29.35', sequence(element(0x80, keyId(issuer.key)))),
  ];
  const certificate = issue({ subject: 'autocode', key: privateKey, extensions, now, days, issuer });
  return { certificate, key: pem(privateKey) };
}

function issue(made: {
  subject: string;
  key: KeyObject;
  extensions: Buffer[];
  now: Date;
  days: number;
  issuer: { name: string; key: KeyObject };
}): string {
  const { subject, key, extensions, now, days, issuer } = made;
  const from = new Date(now.getTime() - BACKDATED_MS);
  const until = new Date(now.getTime() + days * DAY_MS);
  const signed = sequence(
    element(0xa0, integer(Buffer.of(2))), // version 3
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    sequence(oid(ECDSA_WITH_SHA256)),
    commonName(issuer.name),
    sequence(time(from), time(until)),
    commonName(subject),
    publicPart(key),
    element(0xa3, sequence(...extensions)),
  );
  const certificate = sequence(
    signed,
    sequence(oid(ECDSA_WITH_SHA256)),
    bits(sign('sha256', signed, issuer.key)),
  );
  const lines = certificate.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [yes()] : []), octets(value));
}

function commonName(name: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), text(name))));
}

function alternativeName(name: string): Buffer {
  return isIP(name) === 0 ? element(0x82, Buffer.from(name)) : element(0x87, addressBytes(name));
}

function publicPart(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

/** By which a certificate finds the one that signed it: as others reckon it too (RFC 5280, 4.2.1.2), of the 65 bytes of the point alone. */
function keyId(key: KeyObject): Buffer {
  return createHash('sha1').update(publicPart(key).subarray(-65)).digest();
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}
