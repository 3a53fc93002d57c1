// The record of what leaves the appliance: written before a request goes to an engine outside, completed with the size
// of its answer. Used by exchange.ts; read by the API.
import type { EgressRecord } from '../../protocol/model.ts';
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

export interface EgressQuery {
  run?: string | undefined;
  project?: string | undefined;
  /** Records of this time and later. */
  since?: string | undefined;
  limit: number;
}

/** What has left, the newest first. */
export async function listEgress(
  db: Queryable,
  { run, project, since, limit }: EgressQuery,
): Promise<EgressRecord[]> {
  const { rows } = await db.query<Omit<EgressRecord, 'at'> & { at: Date }>(
    `select e.at, e.request, e.run, e.key, project.name as project, e.engine, e.host, e.bytes_out as "bytesOut", e.bytes_in as "bytesIn"
     from egress_record e
       left join run on run.id = e.run left join task on task.id = run.task left join token on token.id = e.key
       left join project on project.id = coalesce(task.project, token.project)
     where ($1::text is null or e.run = $1) and ($2::text is null or project.name = $2) and ($3::timestamptz is null or e.at >= $3)
     order by e.at desc, e.request limit $4`,
    [run ?? null, project ?? null, since ?? null, limit],
  );
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}
