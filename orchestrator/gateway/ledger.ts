// The record of each model call, with the price it was made at, and the charge that goes with it. Written before the answer's
// end reaches the client, so that a run's usage is complete when the run is. Used by paying.ts; read by the API.
import type { ModelCall, Price } from '../../protocol/model.ts';
import type { Charge } from '../budget/charge.ts';
import type { Queryable } from '../db/connect.ts';
import type { Caller } from './keys.ts';
import type { Metered } from './metering.ts';

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
  metered: Metered;
}

/** A record with what the call cost. */
export type Recorded = Charge & { call: CallRecord & { price: Price } };

/** The charge of a call. `slab`: what it draws on; money in millionths of the ledger currency, GPU time in milliseconds. */
export function chargeOf(
  call: Recorded['call'],
  { slab, engine, money, gpu }: Pick<Recorded, 'slab' | 'engine' | 'money' | 'gpu'>,
): Recorded {
  const { request, caller, modelServed, cause, metered } = call;
  return {
    id: request,
    kind: 'usage',
    slab,
    payers: caller.payers,
    engine,
    model: modelServed,
    cause,
    tokens: { ...metered.tokens, reasoning: metered.reasoning ?? 0 },
    money,
    gpu,
    call,
  };
}

/** Inserts records, and answers with the ids of those that were not there before. */
export async function insertCalls(tx: Queryable, records: Recorded[]): Promise<Set<string>> {
  const rows = records.map(({ id, money, gpu, call: { caller, metered, ...call } }) => ({
    request: id,
    run: caller.run,
    task: caller.task,
    project: caller.project,
    protocol: call.protocol,
    model_asked: call.modelAsked,
    model_served: call.modelServed,
    input_tokens: metered.tokens.input,
    cached_tokens: metered.tokens.cached,
    output_tokens: metered.tokens.output,
    usage_source: metered.source,
    price: call.price,
    cost_micros: money,
    gpu_ms: gpu,
    status: call.status,
    outcome: call.outcome,
    first_byte_ms: call.firstByteMs,
    total_ms: call.totalMs,
    key: caller.key,
    worker: caller.worker,
    reasoning_tokens: metered.reasoning,
    queue_ms: call.queueMs,
    cause: call.cause,
    fallback: call.fallback,
  }));
  const columns = Object.keys(rows[0] ?? {}).join(', ');
  const inserted = await tx.query<{ request: string }>({
    name: 'record-calls',
    text: `insert into model_call (${columns}) select ${columns} from json_populate_recordset(null::model_call, $1)
      on conflict (request) do nothing returning request`,
    values: [JSON.stringify(rows)],
  });
  return new Set(inserted.rows.map(({ request }) => request));
}
