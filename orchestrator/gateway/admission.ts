// The one place where a call asks to go upstream, and where what it used is settled. Used by exchange.ts; what admits
// (budgets) is given to the gateway by main.ts, and without any every call is admitted and recorded.
import type { Queryable } from '../db/connect.ts';
import type { ResolvedModel } from '../models/catalogue.ts';
import type { JsonObject } from '../models/wire/json.ts';
import type { Caller } from './keys.ts';
import { recordCall } from './ledger.ts';
import type { CallRecord } from './ledger.ts';

/** A call that is about to go to an engine. */
export interface AdmissionRequest {
  requestId: string;
  caller: Caller;
  model: ResolvedModel;
  /** Bytes of the request, a bound for its input. */
  bytes: number;
  json: JsonObject;
}

export interface Admission {
  /** The most output that is left; what the request asks for is cut to it. */
  maxTokens?: number;
  /** Said to the model at the end of the conversation. */
  warning?: string;
  /** Takes the record of what was used; durable when it returns. Called once, unless `release` is. */
  settle(record: CallRecord): Promise<void>;
  /** The call did not reach its engine: nothing was used. */
  release(): void;
}

/** Admits the call or throws why not. */
export type Admit = (request: AdmissionRequest) => Promise<Admission>;

/** Admits every call and records it. */
export function admitAll(db: Queryable): Admit {
  return async () => ({ settle: (record) => recordCall(db, record), release: () => {} });
}
