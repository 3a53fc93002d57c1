// Asks the sources that are asked: polls and schedules when their time has come, queues all the time. What came is durable
// before a cursor moves or a message is acknowledged. A chore of the scheduler (daemon/intake.ts).
import { setTimeout as delay } from 'node:timers/promises';
import { transaction, type Database, type Queryable } from '../db/connect.ts';
import { storeDelivery } from './deliveries.ts';
import type { Sealer } from './sealing.ts';
import type { RawDelivery, SourceDeps } from './source.ts';
import { openSource, openSources, type OpenSource } from './sources.ts';

export interface PullDeps extends Omit<SourceDeps, 'db'> {
  db: Database;
  sealer: Sealer;
}

const PAUSE_MS = { first: 1_000, longest: 60_000 };

/** A keeper of what is under way: `look` starts what is due and ends what is not wanted any more; it never waits for a source. */
export function puller(deps: PullDeps) {
  const asking = new Map<string, Promise<void>>();
  const receiving = new Map<string, { stop: AbortController; ended: Promise<void>; as: string }>();

  async function look(signal: AbortSignal): Promise<void> {
    const sources = await openSources(deps.db);
    for (const each of sources) {
      const { name } = each.source;
      if (each.kind.poll === undefined || asking.has(name)) continue;
      asking.set(
        name,
        poll(deps, each, signal).finally(() => asking.delete(name)),
      );
    }
    const queues = sources.filter(({ kind }) => kind.receive !== undefined);
    for (const [name, { stop, as }] of receiving)
      if (!queues.some((each) => each.source.name === name && JSON.stringify(each.source) === as))
        stop.abort();
    for (const each of queues) {
      const { name } = each.source;
      if (receiving.has(name)) continue;
      const stop = new AbortController();
      const both = AbortSignal.any([stop.signal, signal]);
      const ended = receive(deps, each, both).finally(() => receiving.delete(name));
      receiving.set(name, { stop, ended, as: JSON.stringify(each.source) });
    }
  }

  /** Resolves when nothing is under way any more, after the signal. */
  async function settled(): Promise<void> {
    await Promise.all([...asking.values(), ...[...receiving.values()].map(({ ended }) => ended)]);
  }
  return { look, settled };
}

async function poll(deps: PullDeps, { source, kind }: OpenSource, signal: AbortSignal): Promise<void> {
  const { db, sealer } = deps;
  const { everySeconds, via, ask } = kind.poll!;
  const seconds = everySeconds(source);
  if (seconds === null) return;
  try {
    const { rows } = await db.query<{ cursor: unknown }>(
      `select cursor from intake_source where name = $1
         and (looked_at is null or looked_at < now() - make_interval(secs => $2))`,
      [source.name, seconds],
    );
    if (rows[0] === undefined) return;
    const { deliveries, cursor, trouble } = await ask(source, rows[0].cursor, deps, signal);
    await transaction(db, async (tx) => {
      if (!(await isStillThere(tx, { source, kind }))) return;
      // What is asked for overlaps: seeing the same again is no second delivery of it.
      const known = await knownDeliveries(tx, source.name, deliveries);
      for (const each of deliveries)
        if (!known.has(each.delivery)) await storeDelivery(tx, sealer, source.name, { ...each, via });
      await tx.query(
        'update intake_source set cursor = $2, looked_at = now(), trouble = $3 where name = $1',
        [source.name, JSON.stringify(cursor), trouble?.slice(0, 1000) ?? null],
      );
    });
  } catch (error) {
    if (!signal.aborted) await noteTrouble(deps, source.name, error);
  }
}

// Somebody may have removed it meanwhile, or sent it elsewhere, where what was asked here says nothing.
async function isStillThere(tx: Queryable, { source, kind }: Omit<OpenSource, 'paused'>): Promise<boolean> {
  await tx.query('select from intake_source where name = $1 for update', [source.name]);
  const now = await openSource(tx, source.name);
  return now !== undefined && now.kind === kind && kind.scope(now.source) === kind.scope(source);
}

async function knownDeliveries(
  tx: Queryable,
  source: string,
  deliveries: RawDelivery[],
): Promise<Set<string>> {
  const { rows } = await tx.query<{ delivery: string }>(
    'select delivery from intake_delivery where source = $1 and delivery = any($2)',
    [source, deliveries.map(({ delivery }) => delivery)],
  );
  return new Set(rows.map(({ delivery }) => delivery));
}

async function receive(deps: PullDeps, { source, kind }: OpenSource, signal: AbortSignal): Promise<void> {
  const { db, sealer } = deps;
  let pause = PAUSE_MS.first;
  while (!signal.aborted) {
    try {
      await kind.receive!(
        source,
        async (deliveries) => {
          await transaction(db, async (tx) => {
            for (const each of deliveries)
              await storeDelivery(tx, sealer, source.name, { ...each, via: 'queue' });
            await tx.query('update intake_source set looked_at = now(), trouble = null where name = $1', [
              source.name,
            ]);
          });
          pause = PAUSE_MS.first;
        },
        deps,
        signal,
      );
    } catch (error) {
      if (signal.aborted) return;
      await noteTrouble(deps, source.name, error);
    }
    await untilAborted(pause, signal);
    pause = Math.min(pause * 2, PAUSE_MS.longest);
  }
}

async function untilAborted(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}

// `looked_at` moves too: a source that is away is asked again in its own time.
async function noteTrouble({ db, log }: PullDeps, name: string, error: unknown): Promise<void> {
  const trouble = error instanceof Error ? error.message : String(error);
  log.warn(`the source ${name} could not be asked: ${trouble}`, { error });
  await db
    .query('update intake_source set looked_at = now(), trouble = $2 where name = $1', [
      name,
      trouble.slice(0, 1000),
    ])
    .catch(() => {}); // the database may be what is away
}
