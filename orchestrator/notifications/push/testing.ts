// What tests of browser push work with: a push service over real HTTPS on loopback, and a browser that opens what it is sent.
import { createDecipheriv, createECDH, createPrivateKey, hkdfSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { makeAuthority, makeServerCertificate } from '../../tls/certificate.ts';

export interface Pushed {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface PushService extends AsyncDisposable {
  url: string;
  authority: string;
  received: Pushed[];
  /** Codes of the next answers, in their order; 201 afterwards. */
  answers: number[];
}

/** Starts a push service for `localhost`. */
export async function pushService(): Promise<PushService> {
  const now = new Date();
  const name = 'Test authority';
  const authority = await makeAuthority(name, now);
  const issuer = { name, key: createPrivateKey(authority.key) };
  const { key, certificate: cert } = await makeServerCertificate(['localhost'], issuer, { now, days: 1 });
  const received: Pushed[] = [];
  const answers: number[] = [];
  const server = createServer({ key, cert }, async (request, response) => {
    received.push({ path: request.url ?? '', headers: request.headers, body: await buffer(request) });
    response.writeHead(answers.shift() ?? 201).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    authority: authority.certificate,
    received,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A browser's half: its keys, and what it reads of a message, as RFC 8291 says. */
export function testBrowser() {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  const auth = randomBytes(16);
  return {
    keys: { p256dh: ecdh.getPublicKey('base64url'), auth: auth.toString('base64url') },
    open(body: Buffer): string {
      const [salt, sender] = [body.subarray(0, 16), body.subarray(21, 21 + body[20]!)];
      const sealed = body.subarray(21 + body[20]!);
      const derive = (secret: Buffer, by: Buffer, info: Buffer, bytes: number) =>
        Buffer.from(hkdfSync('sha256', secret, by, info, bytes));
      const about = Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), sender]);
      const secret = derive(ecdh.computeSecret(sender), auth, about, 32);
      const key = derive(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
      const nonce = derive(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
      const decipher = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(sealed.subarray(-16));
      const text = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
      return text.subarray(0, text.lastIndexOf(2)).toString();
    },
  };
}
