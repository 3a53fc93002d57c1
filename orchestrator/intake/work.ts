// Works on deliveries that were acknowledged: each in one transaction with all that it leads to, so that a crash anywhere
// leaves it waiting as it was. Several processes may do it at once. A chore of the scheduler (daemon/intake.ts).
import { z } from 'zod';
import { transaction, type Database, type Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { NotYet } from './act.ts';
import { decide, type DecideDeps } from './decide.ts';
import type { Sealer } from './sealing.ts';
import type { RawDelivery } from './source.ts';
import { openSource } from './sources.ts';
import type { WorkItem } from './work-item.ts';

export interface WorkDeps extends DecideDeps {
  db: Database;
  sealer: Sealer;
}

/** A delivery under lock. */
interface Waiting {
  id: number;
  source: string;
  delivery: string;
  event: string;
  sealed: Buffer | null;
  attempts: number;
}

const ATTEMPTS = 6;
const FIRST_PAUSE_SECONDS = 2;
const NOT_YET_SECONDS = 5;

/** Its body is not what the source's kind expects, or cannot be had: another try would not do. */
class Unreadable extends Error {}

/** Works on everything that waits; answers how many deliveries were looked at. */
export async function workOnDeliveries(deps: WorkDeps, signal: AbortSignal): Promise<number> {
  for (let count = 0; ; count++) if (signal.aborted || !(await workOnNext(deps))) return count;
}

async function workOnNext(deps: WorkDeps): Promise<boolean> {
  let taken: Waiting | undefined;
  try {
    return await transaction(deps.db, async (tx) => {
      taken = await takeNext(tx);
      if (taken === undefined) return false;
      await workOn(tx, deps, taken);
      return true;
    });
  } catch (error) {
    if (taken === undefined) throw error;
    await putOff(deps.db, taken, error);
    return true;
  }
}

async function takeNext(tx: Queryable): Promise<Waiting | undefined> {
  const { rows } = await tx.query<Waiting>({
    name: 'take-delivery',
    text: `select id, source, delivery, event, sealed, attempts from intake_delivery
           where state = 'waiting' and not_before <= now()
             and source not in (select name from intake_source where paused_at is not null)
           order by id limit 1 for update skip locked`,
  });
  return rows[0];
}

// What an earlier look at it ignored is decided anew; what it has led to stays.
async function workOn(tx: Queryable, deps: WorkDeps, waiting: Waiting): Promise<void> {
  const opened = await openSource(tx, waiting.source);
  if (opened === undefined) throw new Unreadable(`The source ${waiting.source} was removed.`);
  const { source, kind } = opened;
  const items = parsed(() => kind.parse(source, raw(deps.sealer, waiting)));
  await tx.query('delete from intake_item where delivery = $1 and not claims', [waiting.id]);
  const place = { source, scope: kind.scope(source), delivery: waiting.id };
  const byKey = new Map(items.map((item) => [item.key, item]));
  for (const item of [...byKey.values()].toSorted((one, other) => (one.key < other.key ? -1 : 1))) {
    const decision = await decide(tx, deps, place, item);
    if (decision?.verdict === 'quarantined')
      await emit(tx, { kind: 'intake.quarantined', data: { source: source.name, reason: decision.reason } });
  }
  const reason = items.length === 0 ? 'It says nothing that the source is to take up.' : null;
  await tx.query(`update intake_delivery set state = 'done', reason = $2 where id = $1`, [
    waiting.id,
    reason,
  ]);
}

/** The body of a delivery as it came. */
export function raw(
  sealer: Sealer,
  { source, delivery, event, sealed }: Omit<Waiting, 'id' | 'attempts'>,
): RawDelivery {
  if (sealed === null) throw new Unreadable('Its body is not kept any more.');
  return { delivery, event, body: sealer.open(`${source}/${delivery}`, sealed) };
}

function parsed(parse: () => WorkItem[]): WorkItem[] {
  try {
    return parse();
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new Unreadable(`Its body is not what was expected: ${why}`.slice(0, 1000), { cause: error });
  }
}

async function putOff(db: Database, { id, source, attempts }: Waiting, error: unknown): Promise<void> {
  if (error instanceof NotYet) {
    await db.query(
      `update intake_delivery set not_before = now() + make_interval(secs => $2) where id = $1`,
      [id, NOT_YET_SECONDS],
    );
    return;
  }
  const last = error instanceof Unreadable || attempts + 1 >= ATTEMPTS;
  await transaction(db, async (tx) => {
    await tx.query(
      `update intake_delivery set attempts = attempts + 1, state = $2, reason = $3,
         not_before = now() + make_interval(secs => $4) where id = $1 and state = 'waiting'`,
      [id, last ? 'failed' : 'waiting', (error as Error).message, FIRST_PAUSE_SECONDS * 4 ** attempts],
    );
    if (last)
      await emit(tx, {
        kind: 'intake.failed',
        data: { source, delivery: id, reason: (error as Error).message },
      });
  });
}
