// Who may go out: the tokens of live runs, by their hashes, in a file that the proxy reads. A run that has ended is not in it.
// Used by open.ts; the tokens go out with the work orders.
import { createHash, createHmac } from 'node:crypto';
import type { Queryable } from '../db/connect.ts';

/** The token by which a run's requests are known to the proxy; derived, so that a repeated claim hands out the same one. */
export function egressToken(serverKey: Buffer, run: string): string {
  return `ac_egress_${createHmac('sha256', serverKey).update(`egress:${run}`).digest('base64url')}`;
}

/** What the file says now. */
export async function identitiesOf(db: Queryable, serverKey: Buffer): Promise<string> {
  const { rows } = await db.query<{
    run: string;
    task: number;
    project: string;
    kind: string;
    worker: string;
  }>(
    `select r.id as run, r.task, p.name as project, t.kind, r.worker
     from run r join task t on t.id = r.task join project p on p.id = t.project
     where r.state in ('leased', 'preparing', 'working', 'verifying') order by r.id`,
  );
  const hash = (token: string) => createHash('sha256').update(token).digest('hex');
  return JSON.stringify(
    Object.fromEntries(rows.map((each) => [hash(egressToken(serverKey, each.run)), each])),
  );
}
