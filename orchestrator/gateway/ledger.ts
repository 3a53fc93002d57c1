// The record of each model call, with the price it was made at. Written before the answer's end reaches the client, so
// that a run's usage is complete when the run is. Used by the gateway; read by the API.
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import type { ModelCall, Price } from '../../protocol/model.ts';
import type { Queryable } from '../db/connect.ts';
import { sqlState } from '../db/connect.ts';
import type { Caller } from './keys.ts';
import type { Metered } from './metering.ts';
import { costMicros } from './metering.ts';

export interface CallRecord extends Pick<
  ModelCall,
  | 'protocol'
  | 'modelAsked'
  | 'modelServed'
  | 'cause'
  | 'fallback'
  | 'queueMs'
  | 'status'
  | 'outcome'
  | 'firstByteMs'
  | 'totalMs'
> {
  /** Id of the request; a repeated insert of the same one is no second record. */
  request: string;
  caller: Caller;
  price: Price;
  metered: Metered;
}

const PATIENCE_MS = 10_000;
const PAUSE_MS = 100;
// The database is starting, stopping or not reachable; anything else would fail again.
const PASSING = /^(ECONN|ENOENT|EPIPE|57P0|08|$)/;

/** Inserts the record; while the database is away it tries for 10 s and then throws ERR_DATABASE. */
export async function recordCall(db: Queryable, record: CallRecord): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await delay(PAUSE_MS)) {
    try {
      return await insert(db, record);
    } catch (cause) {
      if (Date.now() < deadline && PASSING.test(sqlState(cause))) continue;
      throw new AutocodeError('ERR_DATABASE', 'The call could not be recorded, so its answer is withheld.', {
        remedy: 'See `autocode status` for the state of the database, then send the request again.',
        cause,
      });
    }
  }
}

async function insert(db: Queryable, { caller, metered, ...call }: CallRecord): Promise<void> {
  await db.query({
    name: 'record-call',
    text: `insert into model_call (request, run, task, project, protocol, model_asked, model_served, input_tokens, cached_tokens,
             output_tokens, usage_source, price, cost_micros, status, outcome, first_byte_ms, total_ms,
             key, worker, reasoning_tokens, queue_ms, cause, fallback)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
           on conflict (request) do nothing`,
    values: [
      call.request,
      caller.run,
      caller.task,
      caller.project,
      call.protocol,
      call.modelAsked,
      call.modelServed,
      metered.tokens.input,
      metered.tokens.cached,
      metered.tokens.output,
      metered.source,
      JSON.stringify(call.price),
      costMicros(metered.tokens, call.price),
      call.status,
      call.outcome,
      call.firstByteMs,
      call.totalMs,
      caller.key,
      caller.worker,
      metered.reasoning,
      call.queueMs,
      call.cause,
      call.fallback,
    ],
  });
}
