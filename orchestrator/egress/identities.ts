// Who may go out: the tokens of live runs, by their hashes, in a file that the proxy reads. A run that has ended is not in it.
// Used by open.ts; the tokens go out with the work orders.
import { createHash, createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileAtomic } from '../config/atomic-file.ts';
import type { Database, Queryable } from '../db/connect.ts';
import { onNotify } from '../db/notifications.ts';

const LOOK_EVERY_MS = 5_000;
const SHORTEST_PAUSE_MS = 100;

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

export interface IdentitiesOptions {
  db: Database;
  file: string;
  serverKey: Buffer;
  signal: AbortSignal;
  failed(error: unknown): void;
}

/** Keeps the file as the runs are, from now on until the signal; resolves when it is there for the first time. */
export async function keepIdentities({
  db,
  file,
  serverKey,
  signal,
  failed,
}: IdentitiesOptions): Promise<{ stopped: Promise<void> }> {
  let kept = await readFile(file, 'utf8').catch(() => '');
  const write = async () => {
    const now = await identitiesOf(db, serverKey);
    if (now !== kept) await writeFileAtomic(file, now);
    kept = now;
  };
  let wake = () => {};
  const unsubscribe = await onNotify(db, 'event', () => wake());
  await write();

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await write().catch(failed);
      await Promise.race([woken, delay(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => {})]);
      await delay(SHORTEST_PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  }
  const stopped = follow().finally(unsubscribe);
  return { stopped };
}
