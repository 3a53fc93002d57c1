// One model call: the request goes to the engine, the answer comes back as it arrives, its tokens are recorded.
// Bytes move no faster than the client reads them, and the engine is stopped when the client goes.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { AutocodeError } from '../../protocol/errors.ts';
import type { ModelCall, Protocol } from '../../protocol/model.ts';
import type { ResolvedModel } from '../models/catalogue.ts';
import type { Engine, EngineAnswer } from '../models/engine/engine.ts';
import type { JsonObject } from '../models/wire/json.ts';
import { object } from '../models/wire/json.ts';
import { refusalOf, sendRefusal } from '../models/wire/refusal.ts';
import { encodeEvent } from '../models/wire/sse.ts';
import { WIRES } from '../models/wire/table.ts';
import { editBody } from './edit-body.ts';
import type { Caller } from './keys.ts';
import type { CallRecord } from './ledger.ts';
import { NOTHING, meter } from './metering.ts';
import type { Metered } from './metering.ts';

export interface Exchange {
  requestId: string;
  caller: Caller;
  protocol: Protocol;
  path: string;
  model: ResolvedModel;
  modelAsked: string;
  engine: Engine;
  body: Buffer;
  json: JsonObject;
  request: IncomingMessage;
  response: ServerResponse;
  /** Aborted when the client has gone or the gateway stops. */
  signal: AbortSignal;
}

/** Where the call ends up, once it is known how it went. */
export type Settle = (record: CallRecord) => Promise<void>;

const PASSED_BACK = ['content-type', 'content-encoding', 'retry-after'];

/** Makes the call and answers the client. Throws only where nothing has been answered yet. */
export async function exchange(call: Exchange, settle: Settle): Promise<void> {
  const started = performance.now();
  let firstByteMs: number | null = null;
  let settled = false;
  const since = () => Math.round(performance.now() - started);
  const metering = meter(call.protocol, call.body.length);

  const record = async (status: number, outcome: ModelCall['outcome'], metered: Metered) => {
    if (settled) return;
    settled = true;
    if (call.path !== WIRES[call.protocol].path) return; // counting tokens is no model call
    const { requestId: request, caller, protocol, modelAsked, model } = call;
    const { name: modelServed, price } = model;
    await settle({
      request,
      caller,
      protocol,
      modelAsked,
      modelServed,
      price,
      metered,
      status,
      outcome,
      firstByteMs,
      totalMs: since(),
    });
  };

  let answer: EngineAnswer;
  try {
    answer = await call.engine.answer({
      protocol: call.protocol,
      path: call.path,
      body: outgoing(call),
      json: call.json,
      headers: call.request.headers,
      signal: call.signal,
    });
  } catch (error) {
    // A client that went before the first byte has made the engine read its prompt.
    if (call.signal.aborted) return await record(499, 'aborted', metering.settle(true));
    await record(error instanceof AutocodeError ? error.status : 500, 'error', NOTHING);
    throw error;
  }

  const failed = answer.status >= 400;
  const streamed = !failed && String(answer.headers['content-type'] ?? '').startsWith('text/event-stream');
  const head = responseHead(call.model, answer, streamed);
  try {
    if (streamed) {
      call.response.writeHead(answer.status, head);
      call.response.flushHeaders();
      for await (const chunk of answer.body) {
        firstByteMs ??= since();
        metering.push(chunk);
        // The record is durable before the client can see that the answer is complete.
        if (metering.finished())
          await record(
            answer.status,
            metering.error() === undefined ? 'ok' : 'error',
            metering.settle(false),
          );
        await write(call, chunk);
      }
      // Some engines leave out the mark at the end; what stopped by itself is whole all the same.
      const whole = metering.complete() && metering.error() === undefined;
      await record(answer.status, whole ? 'ok' : 'error', metering.settle(!whole));
      call.response.end();
    } else {
      const body = await collect(answer.body, () => (firstByteMs ??= since()));
      if (!failed) metering.whole(body);
      await record(answer.status, failed ? 'error' : 'ok', failed ? NOTHING : metering.settle(false));
      call.response.writeHead(answer.status, { ...head, 'content-length': body.length });
      call.response.end(body);
    }
  } catch (error) {
    await broken(call, error, () =>
      record(
        call.signal.aborted ? 499 : 502,
        call.signal.aborted ? 'aborted' : 'error',
        metering.settle(true),
      ),
    );
  }
}

// Only these change: the model's name, and that a chat stream tells its usage (the chunk that brings is passed on).
function outgoing({ model, protocol, json, body }: Exchange): Buffer {
  if (model.serves.kind === 'replay') return body;
  const streams = protocol === 'chat' && json.stream === true;
  const options = { stream_options: { ...object(json.stream_options), include_usage: true } };
  return editBody(body, { model: model.serves.model, ...(streams ? options : {}) });
}

function responseHead(model: ResolvedModel, answer: EngineAnswer, streamed: boolean): Record<string, string> {
  const head: Record<string, string> = { 'x-autocode-model': model.name.replace(/[^\x20-\x7e]/g, '?') };
  for (const name of PASSED_BACK) {
    if (answer.headers[name] !== undefined) head[name] = String(answer.headers[name]);
  }
  return streamed ? { ...head, 'cache-control': 'no-cache' } : head;
}

async function write({ response, signal }: Exchange, chunk: Uint8Array): Promise<void> {
  signal.throwIfAborted();
  if (!response.write(chunk)) await once(response, 'drain', { signal });
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
async function broken(call: Exchange, error: unknown, record: () => Promise<void>): Promise<void> {
  await record();
  const { response, protocol, requestId, model } = call;
  if (call.signal.aborted) return void response.destroy();
  const told = error instanceof AutocodeError ? error : brokenOff(model.name, error);
  const refusal = refusalOf(told, requestId);
  if (!response.headersSent) return sendRefusal(response, protocol, refusal);
  // An empty line ends whatever event was cut.
  response.end(`\n\n${encodeEvent(WIRES[protocol].refusalEvent(refusal))}`);
}

function brokenOff(model: string, cause: unknown): AutocodeError {
  return new AutocodeError('ERR_ENGINE_UNAVAILABLE', `The engine of ${model} broke off its answer.`, {
    remedy: 'Send the request again.',
    cause,
  });
}
