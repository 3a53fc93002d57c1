// The key by which push services know this installation (VAPID), a secret among the others: whoever removes it makes all browsers
// subscribe anew. Used by the API and send.ts.
import { createECDH } from 'node:crypto';
import type { SecretManager } from '../../secrets/secret-manager.ts';

const NAME = 'push-key';

export interface PushKeys {
  publicKey: string;
  privateKey: string;
}

/** Both halves in base64url; made when they are first asked for. Kept is the private one. */
export async function pushKeys(secrets: Pick<SecretManager, 'get' | 'put'>): Promise<PushKeys> {
  const ecdh = createECDH('prime256v1');
  for (;;) {
    const key = await secrets.get(NAME);
    if (key !== undefined) {
      ecdh.setPrivateKey(key.value.trim(), 'base64url');
      return { publicKey: ecdh.getPublicKey('base64url'), privateKey: padded(ecdh.getPrivateKey()) };
    }
    ecdh.generateKeys();
    await secrets.put(NAME, padded(ecdh.getPrivateKey()), { expectedVersion: 0 }).catch((error: unknown) => {
      // Another process was faster: its key is there now.
      if ((error as { code?: string }).code !== 'ERR_CONFLICT') throw error;
    });
  }
}

// One private key in 256 begins with a zero, which OpenSSL leaves out.
function padded(key: Buffer): string {
  return Buffer.concat([Buffer.alloc(32 - key.length), key]).toString('base64url');
}
