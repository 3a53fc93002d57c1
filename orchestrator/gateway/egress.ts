// The record of what leaves the appliance: written before a request goes to an engine outside, completed with the size
// of its answer. Used by exchange.ts.
import type { Queryable } from '../db/connect.ts';
import type { Caller } from './keys.ts';
import type { Rung } from './ladder.ts';

export interface Egress {
  leaves(rung: Rung, call: { requestId: string; caller: Caller }, bytes: number): Promise<void>;
  returned(rung: Rung, requestId: string, bytes: number): Promise<void>;
}

/** Keeps the records in the database; rungs inside the appliance leave none. */
export function egressRecords(db: Queryable): Egress {
  return {
    async leaves({ external, model }, { requestId, caller }, bytes) {
      if (external === undefined) return;
      await db.query(
        `insert into egress_record (request, run, key, engine, host, bytes_out) values ($1, $2, $3, $4, $5, $6)`,
        [requestId, caller.run, caller.key, model.engine, external, bytes],
      );
    },
    async returned({ external, model }, requestId, bytes) {
      if (external === undefined) return;
      await db.query(`update egress_record set bytes_in = $3 where request = $1 and engine = $2`, [
        requestId,
        model.engine,
        bytes,
      ]);
    },
  };
}
