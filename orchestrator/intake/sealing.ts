// Bodies of deliveries as they lie in the database: sealed, since they hold what other people wrote. A symmetric key derived
// from the server's own: a webhook is answered within milliseconds, which age would not leave. Used by deliveries.ts and work.ts.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';

export interface Sealer {
  /** `name` goes with the seal: a body that was moved to another delivery does not open. */
  seal(name: string, body: Buffer): Buffer;
  open(name: string, sealed: Buffer): Buffer;
}

const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

/** Seals with a key of its own, made of the server's. */
export function sealer(serverKey: Buffer): Sealer {
  const key = Buffer.from(hkdfSync('sha256', serverKey, '', 'autocode intake bodies', 32));
  return {
    seal(name, body) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(name));
      const sealed = Buffer.concat([cipher.update(body), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
    },
    open(name, sealed) {
      const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE))
        .setAAD(Buffer.from(name))
        .setAuthTag(sealed.subarray(NONCE, NONCE + TAG));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(NONCE + TAG)), decipher.final()]);
      } catch (cause) {
        throw new AutocodeError('ERR_SECRET', `The body of the delivery ${name} cannot be opened.`, {
          remedy: 'It was changed, or the secret server-key is not the one that it was sealed with.',
          cause,
        });
      }
    },
  };
}
