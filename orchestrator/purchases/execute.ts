// Sends an approved purchase to its payee: over TLS, where the egress policy allows it, to the address that was looked up, once. Whatever
// may have reached the payee without an answer is unknown, never tried again. Used by the API.
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import https from 'node:https';
import { isIP } from 'node:net';
import tls from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Purchase } from '../../protocol/purchase.ts';
import { transaction, type Database } from '../db/connect.ts';
import type { Presets } from '../egress/policy/parse.ts';
import { effectivePolicy } from '../egress/policy/store.ts';
import { tryRequest } from '../egress/policy/try.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';
import { fillBody, type Filled } from './body.ts';
import { approve, settle, type Books } from './states.ts';

export interface Till {
  db: Database;
  secrets: SecretManager;
  books: Books;
  presets: Presets;
  /** Authorities of payees, where they are not the usual ones. */
  authorities: string | undefined;
}

type Outcome = { state: 'paid' | 'failed' | 'unknown'; status: number | null; reason: string | null };

const CONNECT_MS = 15_000;
const ANSWER_MS = 60_000;
const LONGEST_ANSWER = 64 * 1024;
const SHOWN_ANSWER = 300;

/** What can be refused without sending anything is refused first, and the purchase stays proposed. Then it is approved, sent, and settled. */
export async function pay(till: Till, purchase: Purchase, author: string): Promise<Purchase> {
  const { db, books } = till;
  const address = await addressOf(till, purchase);
  const filled = await fillBody(till.secrets, purchase);
  await transaction(db, async (tx) => {
    await approve(tx, purchase.id, author, books);
    await tx.query(
      `insert into egress_record (request, engine, host, bytes_out) values ($1, 'purchase', $2, $3)`,
      [purchase.entry, new URL(purchase.url).host, Buffer.byteLength(filled.body)],
    );
  });
  const outcome = { ...(await send(till, purchase, address, filled)), account: filled.account };
  return await transaction(db, async (tx) => await settle(tx, purchase.id, 'sending', outcome, books));
}

// Where the payee's name leads; ERR_EGRESS_DENIED where the policy does not let it be reached there. A name that may not be reached wherever
// it leads is not even looked up.
async function addressOf({ db, presets }: Till, { url, project }: Purchase): Promise<string> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  const policy = await effectivePolicy(db, presets);
  const check = (address?: string) => {
    const test = { url, method: 'POST', ...(address && { address }), ...(project !== null && { project }) };
    const { decision, reason, allowedBy } = tryRequest(policy, test);
    if (decision === 'deny') throw notAllowed(host, reason, allowedBy);
  };
  check();
  const found = isIP(host) === 0 ? await lookup(host).catch(() => undefined) : { address: host };
  if (found === undefined)
    throw new AutocodeError('ERR_EGRESS_DENIED', `There is no address of ${host}.`, {
      remedy: 'Look at its name, and at the name servers of this machine.',
    });
  check(found.address);
  return found.address;
}

function notAllowed(host: string, reason: string, allowedBy: string | null): AutocodeError {
  return new AutocodeError(
    'ERR_EGRESS_DENIED',
    `The egress policy does not allow POST to ${host} (${reason}).`,
    {
      remedy:
        allowedBy === null
          ? 'See `autocode egress policy show --effective`.'
          : `Allow it: autocode egress policy allow '${allowedBy.replace(/^allow /, '')}'`,
    },
  );
}

async function send(till: Till, purchase: Purchase, address: string, filled: Filled): Promise<Outcome> {
  const { hostname, port, pathname, search, host } = new URL(purchase.url);
  let socket: tls.TLSSocket;
  try {
    socket = await connected(address, Number(port || 443), hostname, till.authorities);
  } catch (error) {
    return { state: 'failed', status: null, reason: `nothing was sent: ${(error as Error).message}` };
  }
  try {
    const request = https.request({
      method: 'POST',
      path: pathname + search,
      createConnection: () => socket,
      headers: {
        host,
        'content-type': purchase.contentType,
        'content-length': Buffer.byteLength(filled.body),
        'idempotency-key': purchase.entry,
        accept: 'application/json, text/plain',
        'accept-encoding': 'identity',
      },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    request.end(filled.body);
    const [answer] = (await once(request, 'response')) as [NodeJS.ReadableStream & { statusCode?: number }];
    const status = answer.statusCode ?? 0;
    return { status, state: stateOf(status), reason: await said(answer, filled.values) };
  } catch (error) {
    return {
      state: 'unknown',
      status: null,
      reason: `it was sent, without an answer: ${(error as Error).message}`,
    };
  } finally {
    socket.destroy();
  }
}

// Before this resolves nothing of the purchase was sent.
async function connected(
  address: string,
  port: number,
  name: string,
  authorities: string | undefined,
): Promise<tls.TLSSocket> {
  const ca = authorities === undefined ? {} : { ca: await readFile(authorities) };
  const socket = tls.connect({
    host: address,
    port,
    ...(isIP(name.replace(/^\[|\]$/g, '')) === 0 ? { servername: name } : {}),
    ...ca,
    ALPNProtocols: ['http/1.1'],
  });
  const late = new AbortController();
  try {
    await Promise.race([
      once(socket, 'secureConnect'),
      delay(CONNECT_MS, undefined, { signal: late.signal }).then(() => {
        throw new Error('no connection in time');
      }),
    ]);
    return socket.on('error', () => {});
  } catch (error) {
    socket.on('error', () => {}).destroy();
    throw error;
  } finally {
    late.abort();
  }
}

/** What an answer means: a server that failed or sends elsewhere may have booked it all the same. */
function stateOf(status: number): Outcome['state'] {
  if (status >= 200 && status < 300) return 'paid';
  return status >= 400 && status < 500 ? 'failed' : 'unknown';
}

// The beginning of the answer; what was filled in is not repeated, however a number is spaced.
async function said(answer: NodeJS.ReadableStream, values: string[]): Promise<string | null> {
  let text = '';
  try {
    for await (const chunk of answer) {
      text += String(chunk);
      if (text.length > LONGEST_ANSWER) break;
    }
  } catch {
    // The status has come, and it decides.
  }
  for (const value of values) {
    text = text.replaceAll(value, '[redacted]');
    if (/^\d{12,}$/.test(value))
      text = text.replaceAll(new RegExp(value.split('').join('[ -]?'), 'g'), '[redacted]');
  }
  return text === '' ? null : text.slice(0, SHOWN_ANSWER);
}
