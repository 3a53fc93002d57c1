// The tables gpu and gpu_watch: what the watch saw last, for API, status and metrics, which may be other processes; an event for each
// change. Used by watch.ts and by whoever tells of GPUs.
import { z } from 'zod';
import { Gpu } from '../../../protocol/local-model.ts';
import type { EventKind } from '../../../protocol/event.ts';
import { transaction, type Database, type Queryable } from '../../db/connect.ts';
import { emit } from '../../events/outbox.ts';

const STALE_SECONDS = 60;

/** A GPU with the kinds of its warnings: one that is new is an event. */
const Kept = Gpu.extend({ warnings: z.array(z.string()).default([]) });
export type Kept = z.infer<typeof Kept>;
type Change = [kind: EventKind, gpu: Kept];

/** Keeps what was seen; emits and returns what has changed since it was last kept, be it by an earlier daemon. */
export async function keepGpus(
  db: Database,
  gpus: readonly Kept[],
  problem: string | null,
): Promise<Change[]> {
  return await transaction(db, async (tx) => {
    const { rows } = await tx.query<{ reading: unknown }>(
      'select reading from gpu order by index for update',
    );
    const before = rows.flatMap(({ reading }) => Kept.safeParse(reading).data ?? []); // another version may have written it
    const changed = changes(before, gpus);
    for (const [kind, { index, name, state, detail }] of changed)
      await emit(tx, { kind, data: { gpu: index, name, state, detail } });
    await tx.query('delete from gpu where index <> all($1)', [gpus.map(({ index }) => index)]);
    await tx.query(
      `insert into gpu (index, seen_at, reading)
       select (g->>'index')::int, now(), g from jsonb_array_elements($1::jsonb) as g
       on conflict (index) do update set seen_at = excluded.seen_at, reading = excluded.reading`,
      [JSON.stringify(gpus)],
    );
    await tx.query(
      `insert into gpu_watch (seen_at, problem) values (now(), $1)
       on conflict (one) do update set seen_at = excluded.seen_at, problem = excluded.problem`,
      [problem],
    );
    return changed;
  });
}

/** What is worth an event; a GPU is the same as before by its uuid, or by its index where it has none. */
export function changes(before: readonly Kept[], now: readonly Kept[]): Change[] {
  const same = (a: Kept, b: Kept) =>
    a.uuid !== null && b.uuid !== null ? a.uuid === b.uuid : a.index === b.index;
  const gone = before.filter((gpu) => gpu.state !== 'lost' && !now.some((other) => same(gpu, other)));
  return [
    ...gone.map((gpu): Change => [
      'gpu.lost',
      { ...gpu, state: 'lost', detail: 'It is not there any more.' },
    ]),
    ...now.flatMap((gpu): Change[] => {
      const known = before.find((other) => same(gpu, other));
      if (gpu.state === 'lost') return known?.state === 'lost' ? [] : [['gpu.lost', gpu]];
      const warned = gpu.warnings.some((kind) => !known?.warnings.includes(kind));
      return [
        ...(known?.state === 'lost' ? [['gpu.back', gpu] satisfies Change] : []),
        ...(warned ? [['gpu.warning', gpu] satisfies Change] : []),
      ];
    }),
  ];
}

/** The GPUs as seen last, and why there are none. */
export async function listGpus(db: Queryable): Promise<{ gpus: Gpu[]; problem: string | null }> {
  const watch = await db.query<{ problem: string | null; stale: boolean; seen_at: Date }>(
    `select problem, seen_at, seen_at < now() - make_interval(secs => $1) as stale from gpu_watch`,
    [STALE_SECONDS],
  );
  const { rows } = await db.query<{ reading: unknown }>('select reading from gpu order by index');
  const gpus = rows.flatMap(({ reading }) => Gpu.safeParse(reading).data ?? []);
  const [last] = watch.rows;
  if (last === undefined) return { gpus, problem: 'Nobody has looked at the GPUs yet: the gateway does.' };
  if (!last.stale) return { gpus, problem: last.problem };
  const detail = `Nobody has looked at it since ${last.seen_at.toISOString()}: the daemon with the role gateway does.`;
  return { gpus: gpus.map((gpu) => ({ ...gpu, state: 'lost', detail })), problem: detail };
}
