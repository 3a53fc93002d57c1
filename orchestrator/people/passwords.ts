// Passwords: hashed with argon2id, in the thread pool of Node.js and few at a time, so that a flood of sign-ins
// neither stops the event loop nor takes the memory. Used by sign-in.ts and links.ts.
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';

/** As OWASP asks for: 19 MiB, two passes. */
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };
const AT_ONCE = 2;
const WAITING_AT_MOST = 64;
const FORM = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/;

let running = 0;
const waiting: (() => void)[] = [];

/** The text to keep: parameters, salt and hash in PHC form. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, COST);
  const { memory, passes, parallelism } = COST;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** Whether it is the password. Without a kept text it takes as long and is not: who there is cannot be measured. */
export async function isPassword(password: string, kept: string | null): Promise<boolean> {
  const [, memory, passes, parallelism, salt, hash] = FORM.exec(kept ?? '') ?? [];
  if (salt === undefined || hash === undefined) {
    await derive(password, randomBytes(16), COST);
    return false;
  }
  const expected = Buffer.from(hash, 'base64');
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  const got = await derive(password, Buffer.from(salt, 'base64'), { ...cost, tagLength: expected.length });
  return timingSafeEqual(got, expected);
}

async function derive(password: string, nonce: Buffer, cost: typeof COST): Promise<Buffer> {
  if (running >= AT_ONCE) await turn();
  else running++;
  try {
    return await new Promise((resolve, reject) =>
      argon2('argon2id', { message: password.normalize('NFC'), nonce, ...cost }, (error, key) =>
        error === null ? resolve(key) : reject(error),
      ),
    );
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

async function turn(): Promise<void> {
  if (waiting.length >= WAITING_AT_MOST) {
    throw new AutocodeError('ERR_RATE_LIMITED', 'Too many sign-ins are under way.', {
      remedy: 'Try again in some seconds.',
    });
  }
  await new Promise<void>((resolve) => waiting.push(resolve));
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
