// What `worker invite` prints and `worker join` takes: the fingerprint of the authority to trust, and the invitation's secret.
// Used by the API, which makes it, and by the CLI of the machine that joins.
import { AutocodeError } from '../../protocol/errors.ts';

export interface JoinToken {
  /** SHA-256 of the authority's certificate, in hexadecimal. */
  fingerprint: string;
  /** 32 bytes as base64url. */
  secret: string;
}

const BYTES = 32;
const FORM = /^acj_[\w-]{86}$/;

/** The token as text. */
export function joinToken({ fingerprint, secret }: JoinToken): string {
  const bytes = Buffer.concat([Buffer.from(fingerprint, 'hex'), Buffer.from(secret, 'base64url')]);
  return `acj_${bytes.toString('base64url')}`;
}

/** What is in it; ERR_INVALID_INPUT when it is none. */
export function readJoinToken(token: string): JoinToken {
  if (!FORM.test(token)) {
    throw new AutocodeError('ERR_INVALID_INPUT', 'The token is not one of `autocode worker invite`.', {
      remedy: 'Copy the whole of it; it begins with acj_ and has 90 characters.',
    });
  }
  const bytes = Buffer.from(token.slice(4), 'base64url');
  return {
    fingerprint: bytes.subarray(0, BYTES).toString('hex'),
    secret: bytes.subarray(BYTES).toString('base64url'),
  };
}
