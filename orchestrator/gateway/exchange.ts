// One model call: the request goes to the engine, the answer comes back as it arrives, its tokens are recorded.
// Bytes move no faster than the client reads them, and the engine is stopped when the client goes.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { AutocodeError } from '../../protocol/errors.ts';
import type { ModelCall, Protocol } from '../../protocol/model.ts';
import { sizeOf } from '../models/engine/engine.ts';
import type { JsonObject } from '../models/wire/json.ts';
import { refusalOf, sendRefusal } from '../models/wire/refusal.ts';
import { encodeEvent } from '../models/wire/sse.ts';
import { ENDPOINTS } from '../models/wire/table.ts';
import { clientSide } from './client-side.ts';
import type { Egress } from './egress.ts';
import type { Caller } from './keys.ts';
import type { Rung } from './ladder.ts';
import type { CallRecord } from './ledger.ts';
import { NOTHING, meter } from './metering.ts';
import type { Meter, Metered } from './metering.ts';
import { outgoing } from './outgoing.ts';
import type { Admission, Admit } from './paying.ts';
import { reach } from './reach.ts';
import type { Reached, Upstreams } from './reach.ts';

export interface Exchange {
  requestId: string;
  caller: Caller;
  protocol: Protocol;
  /** Path under the engine's base address, which is the protocol's own unless tokens are counted. */
  path: string;
  rungs: readonly Rung[];
  /** Why the first of them is not the preferred one. */
  kept: string | null;
  modelAsked: string;
  cause: ModelCall['cause'];
  /** Bytes of the request. */
  bytes: number;
  /** The request, until its answer begins: requests are large, and an answer takes minutes. */
  asked: { body: Buffer; json: JsonObject } | undefined;
  /** How large an answer is wanted afterwards, in bytes; 0: none. */
  keep: number;
  request: IncomingMessage;
  response: ServerResponse;
  /** Aborted when the client has gone or the gateway stops. */
  signal: AbortSignal;
}

export interface ExchangeParts {
  upstreams: Upstreams;
  admit: Admit;
  egress: Egress;
  /** Told after each record. */
  settled(record: CallRecord): void;
}

/** What the client got. */
export interface Answered {
  rung: Rung;
  /** Why it is not what was asked for first. */
  fallback: string | null;
  ok: boolean;
  /** The whole answer as it was sent, where it came to a good end and is small enough to keep. */
  sent: { head: Record<string, string>; body: Buffer } | undefined;
}

/** Counting tokens costs nothing and is not recorded. */
const FREE: Admission = { settle: async () => {}, release: () => {} };

/** Makes the call and answers the client. Throws only where nothing has been answered yet. */
export async function exchange(call: Exchange, parts: ExchangeParts): Promise<Answered | undefined> {
  const countsTokens = call.path !== ENDPOINTS[call.protocol].path;
  const times = stopwatch();
  let held: { admission: Admission; rung: Rung } | undefined;
  let reached: Reached | undefined;

  const record = async (status: number, outcome: ModelCall['outcome'], metered: Metered) => {
    if (held === undefined || countsTokens) return held?.admission.release();
    const { admission, rung } = held;
    held = undefined;
    const settled: CallRecord = {
      request: call.requestId,
      caller: call.caller,
      protocol: call.protocol,
      modelAsked: call.modelAsked,
      modelServed: rung.model.name,
      cause: call.cause,
      fallback: reached === undefined ? null : passedOver(call, reached),
      queueMs: reached?.queueMs ?? 0,
      metered,
      status,
      outcome,
      ...times.taken(),
    };
    await admission.settle(settled);
    parts.settled(settled);
  };

  try {
    reached = await reach(parts.upstreams, call.rungs, call.signal, async (rung, { replica }) => {
      const { caller, protocol, bytes } = call;
      const { body, json } = call.asked!;
      const asks = { caller, protocol, model: rung.model, replica, bytes, json };
      const admission = countsTokens ? FREE : await parts.admit(asks);
      held = { admission, rung };
      const sent = outgoing(rung, { body, json, countsTokens }, admission, replica?.served);
      await parts.egress.leaves(rung, call, sizeOf(sent));
      const path = countsTokens ? call.path : ENDPOINTS[rung.protocol].path;
      return {
        admission: { ...admission, release: () => ((held = undefined), admission.release()) },
        request: {
          ...sent,
          protocol: rung.protocol,
          path,
          headers: call.request.headers,
          signal: call.signal,
        },
      };
    });
  } catch (error) {
    const metering = meter(call.protocol, call.bytes);
    // A client that went before the first byte has made the engine read its prompt.
    if (call.signal.aborted) await record(499, 'aborted', metering.settle(true));
    else await record(error instanceof AutocodeError ? error.status : 500, 'error', NOTHING);
    throw error;
  }
  const metering = meter(reached.rung.protocol, call.bytes);
  try {
    return await passOn(call, reached, { metering, record, began: times.began });
  } catch (error) {
    await broken(call, reached.rung, error, () =>
      call.signal.aborted
        ? record(499, 'aborted', metering.settle(true))
        : record(502, 'error', metering.settle(true)),
    );
    return undefined;
  } finally {
    reached.leave();
    await parts.egress.returned(reached.rung, call.requestId, metering.bytes());
  }
}

interface Passing {
  metering: Meter;
  record(status: number, outcome: ModelCall['outcome'], metered: Metered): Promise<void>;
  began(): void;
}

async function passOn(
  call: Exchange,
  reached: Reached,
  { metering, record, began }: Passing,
): Promise<Answered> {
  const { answer, rung } = reached;
  const fallback = passedOver(call, reached);
  const { status } = answer;
  const failed = status >= 400;
  const streamed = !failed && String(answer.headers['content-type'] ?? '').startsWith('text/event-stream');
  const side = clientSide(call, rung, answer, fallback, streamed);
  call.asked = undefined;
  const whole = () => metering.complete() && metering.error() === undefined;
  const sent: Uint8Array[] = [];
  let ok = !failed;
  if (streamed) {
    call.response.writeHead(status, side.head);
    call.response.flushHeaders();
    for await (const chunk of answer.body) {
      began();
      metering.push(chunk);
      // The record is durable before the client can see that the answer is complete, or is at an end.
      const wrong = metering.error() !== undefined;
      if (metering.finished() || wrong)
        await record(status, wrong ? 'error' : 'ok', metering.settle(!metering.finished()));
      const slow = write(call, sent, side.push(chunk));
      if (slow !== undefined) await slow;
    }
    // Some engines leave out the mark at the end; what stopped by itself is whole all the same.
    ok = whole();
    await record(status, ok ? 'ok' : 'error', metering.settle(!ok));
    await write(call, sent, side.end(ok, metering.error()));
    call.response.end();
  } else {
    const body = await collect(answer.body, began);
    if (!failed) metering.whole(body);
    const given = side.whole(body);
    await record(status, failed ? 'error' : 'ok', failed ? NOTHING : metering.settle(false));
    sent.push(given);
    call.response.writeHead(status, { ...side.head, 'content-length': given.length });
    call.response.end(given);
  }
  const kept = ok && call.keep > 0 ? Buffer.concat(sent) : undefined;
  const small = kept !== undefined && kept.length <= call.keep;
  return { rung, fallback, ok, sent: small ? { head: side.head, body: kept } : undefined };
}

/** Why another model than the preferred one answered. */
function passedOver({ rungs, kept }: Exchange, { rung, fallback }: Reached): string | null {
  return rung === rungs[0] ? kept : fallback;
}

/** Sends a chunk on; waits only where the client is slow, since each token comes this way. */
function write(
  { response, signal, keep }: Exchange,
  sent: Uint8Array[],
  chunk: Uint8Array,
): Promise<unknown> | undefined {
  signal.throwIfAborted();
  if (chunk.length === 0) return undefined;
  if (keep) sent.push(chunk);
  return response.write(chunk) ? undefined : once(response, 'drain', { signal });
}

async function collect(body: AsyncIterable<Uint8Array>, onFirst: () => void): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    onFirst();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The answer broke off: the client has gone, the engine died, or the record could not be written. */
async function broken(
  call: Exchange,
  rung: Rung,
  error: unknown,
  record: () => Promise<void>,
): Promise<void> {
  await record();
  const { response, protocol, requestId } = call;
  if (call.signal.aborted) return void response.destroy();
  const told = error instanceof AutocodeError ? error : brokenOff(rung.model.name, error);
  const refusal = refusalOf(told, requestId);
  if (!response.headersSent) return sendRefusal(response, protocol, refusal);
  // An empty line ends whatever event was cut.
  response.end(`\n\n${encodeEvent(ENDPOINTS[protocol].refusalEvent(refusal))}`);
}

function brokenOff(model: string, cause: unknown): AutocodeError {
  return new AutocodeError('ERR_ENGINE_UNAVAILABLE', `The engine of ${model} broke off its answer.`, {
    remedy: 'Send the request again.',
    cause,
  });
}

function stopwatch(): { began(): void; taken(): { firstByteMs: number | null; totalMs: number } } {
  const started = performance.now();
  let first: number | null = null;
  const since = () => Math.round(performance.now() - started);
  return { began: () => void (first ??= since()), taken: () => ({ firstByteMs: first, totalMs: since() }) };
}
