// How many retries may begin in an hour, so that something that is broken for all does not spend the night trying. A retry that
// finds none left waits. Used by the sweep.
import type { Queryable } from '../db/connect.ts';

/** Part of the configuration. */
export interface HourlyRetries {
  installation: number;
  project: number;
}

/** A limit that is reached. */
export interface FullHour {
  whose: keyof HourlyRetries;
  limit: number;
  /** Until one may begin again. */
  waitSeconds: number;
}

const HOUR_SECONDS = 3600;

/** The limit that keeps a retry of the project from beginning now; null when none does. */
export async function retriesFull(
  tx: Queryable,
  project: number,
  limits: HourlyRetries,
): Promise<FullHour | null> {
  for (const whose of ['installation', 'project'] as const) {
    const limit = limits[whose];
    if (limit === 0) return { whose, limit, waitSeconds: HOUR_SECONDS };
    const { rows } = await tx.query<{ seconds: number }>(
      `select extract(epoch from at + interval '1 hour' - now())::float8 as seconds from retry_begun
       where at > now() - interval '1 hour' and ($1::bigint is null or project = $1) order by at desc offset $2 limit 1`,
      [whose === 'project' ? project : null, limit - 1],
    );
    if (rows[0] !== undefined) return { whose, limit, waitSeconds: Math.max(rows[0].seconds, 1) };
  }
  return null;
}

/** Why a retry waits, and what would change it. */
export function retriesFullText({ whose, limit }: FullHour): string {
  const whom = whose === 'project' ? 'its project' : 'the installation';
  return `The ${limit} retries that ${whom} may begin in an hour are used up (limits.retriesPerHour.${whose}); it waits for the next.`;
}

/** Counts a retry that begins. */
export async function noteRetry(tx: Queryable, task: { id: number; project: number }): Promise<void> {
  await tx.query(`delete from retry_begun where at < now() - interval '1 hour'`);
  await tx.query('insert into retry_begun (project, task) values ($1, $2)', [task.project, task.id]);
}
