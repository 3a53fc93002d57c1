// Requests to the API of the daemon that serves the page. Every answer's type is one of protocol/; every failure is an ApiError.
import type { ErrorBody } from '../../../protocol/errors.ts';
import type { SignedIn } from '../../../protocol/person.ts';

/** What the API said no with: what happened, and what to do about it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly remedy: string | undefined;
  readonly details: unknown;
  readonly requestId: string | undefined;

  constructor(status: number, { code, message, remedy, details, requestId }: ErrorBody['error']) {
    super(message);
    this.status = status;
    this.code = code;
    this.remedy = remedy;
    this.details = details;
    this.requestId = requestId;
  }
}

/** What proves who asks: beside the session's cookie the value for each request that changes something; or an API token, which is
 * kept here alone and gone with the page. */
interface Proof {
  csrf?: string;
  token?: string;
}
let proof: Proof = {};
const lost = new Set<() => void>();

/** Keeps what proves who asks, from now on. */
export function keepProof(kept: Proof): void {
  proof = kept;
}

/** The headers that say who asks. */
export function proofHeaders(method = 'GET'): Record<string, string> {
  return {
    ...(proof.token === undefined ? {} : { authorization: `Bearer ${proof.token}` }),
    ...(method === 'GET' || proof.csrf === undefined ? {} : { 'x-csrf-token': proof.csrf }),
  };
}

/** Calls back when an answer says that nobody is signed in any more; gives the way to stop. */
export function onSignedOut(call: () => void): () => void {
  lost.add(call);
  return () => lost.delete(call);
}

/** What proves who asks as of now: to be given to `noteSignedOut`. */
export function proofOfNow(): object {
  return proof;
}

/** An answer to what was asked with this proof said that nobody is signed in; one that comes after another sign-in says nothing. */
export function noteSignedOut(asked: object): void {
  if (asked === proof) for (const call of lost) call();
}

type Query = Record<string, string | number | boolean | undefined>;

/** GET; `query` leaves out what is undefined or empty. */
export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const words = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const search = new URLSearchParams(words.map(([key, value]) => [key, String(value)])).toString();
  return await request<T>('GET', search === '' ? path : `${path}?${search}`, undefined, signal);
}

/** GET of an answer that is plain text. */
export async function getText(path: string, signal?: AbortSignal): Promise<string> {
  return (await answerTo('GET', path, undefined, signal)) ?? '';
}

/** A request that changes something. */
export async function send<T>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<T> {
  return await request<T>(method, path, body);
}

async function request<T>(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const text = await answerTo(method, path, body, signal);
  return (text === undefined ? undefined : JSON.parse(text)) as T;
}

/** The text of a good answer; undefined where there is none. */
async function answerTo(
  method: string,
  path: string,
  body: unknown,
  signal?: AbortSignal,
  again = false,
): Promise<string | undefined> {
  const asked = proof;
  const answer = await fetch(`/api/v1${path}`, {
    method,
    credentials: 'same-origin',
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...proofHeaders(method),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw new ApiError(0, {
      code: 'ERR_DAEMON_NOT_RUNNING',
      message: 'The daemon does not answer.',
      remedy: 'See `autocode status` on its machine; this page goes on by itself when it is back.',
    });
  });
  if (answer.status === 204) return undefined;
  const text = await answer.text();
  if (answer.ok) return text;
  if (answer.status === 401 && path !== '/session') noteSignedOut(asked);
  const told = errorIn(text);
  // Another tab has signed in anew: this one goes on with its session.
  if (!again && isStale(told) && (await renewProof()))
    return await answerTo(method, path, body, signal, true);
  throw new ApiError(answer.status, told ?? { code: 'ERR_INTERNAL', message: `Answer ${answer.status}.` });
}

function isStale(told: ErrorBody['error'] | undefined): boolean {
  return (told?.details as { csrf?: boolean } | undefined)?.csrf === true;
}

async function renewProof(): Promise<boolean> {
  const answer = await fetch('/api/v1/session', { credentials: 'same-origin' });
  if (!answer.ok) return false;
  const { csrf } = (await answer.json()) as SignedIn;
  if (csrf !== null) keepProof({ csrf });
  return csrf !== null;
}

function errorIn(text: string): ErrorBody['error'] | undefined {
  try {
    return (JSON.parse(text) as Partial<ErrorBody>).error;
  } catch {
    return undefined; // what stands in front of the daemon answered
  }
}
