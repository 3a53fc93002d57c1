// Which worker is at which address, in a file that the proxy reads: by the transparent listener a client is known by its address alone.
// Used by open.ts where there is a firewall.
import type { Queryable } from '../db/connect.ts';

/** What the file says now. An address of several workers is nobody's. */
export async function workersByAddress(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ address: string; worker: string }>(
    `select address, min(name) as worker from worker where address is not null and state <> 'offline'
     group by address having count(*) = 1 order by address`,
  );
  return JSON.stringify(Object.fromEntries(rows.map(({ address, worker }) => [address, worker])));
}
