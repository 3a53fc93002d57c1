// Whose memory it is: the processes that belong to the appliance's engines. Used by watch.ts.
import { readFileSync } from 'node:fs';
import type { Queryable } from '../../db/connect.ts';

const DEPTH = 32;

/**
 * Tells whether a process is one of these, of their groups, or was started by one: the driver names the workers of an engine,
 * its owner the leader.
 */
export function belongsTo(
  leaders: ReadonlySet<number>,
  stat: (pid: number) => string | null = readStat,
): (pid: number) => boolean {
  return (pid) => {
    for (let at = pid, depth = 0; at > 1 && depth < DEPTH; depth += 1) {
      if (leaders.has(at)) return true;
      // The name of the program is in parentheses and may hold any character.
      const [, parent = 0, group = 0] = stat(at)?.split(') ').at(-1)?.split(' ').map(Number) ?? [];
      if (leaders.has(group)) return true;
      at = parent;
    }
    return false;
  };
}

function readStat(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null; // it has ended
  }
}

/** What our engines should have taken of each GPU, where the driver does not tell whose memory it is; one that sleeps keeps next to nothing. */
export async function expectedMib(db: Queryable): Promise<Map<number, number>> {
  const { rows } = await db.query<{ index: number; mib: number }>(
    `select gpu::int as index, sum(coalesce(reported_mib, predicted_mib, 0))::int as mib
     from engine_instance, jsonb_array_elements_text(gpus) as gpu
     where state in ('loading', 'ready', 'stopping') group by 1`,
  );
  return new Map(rows.map(({ index, mib }) => [index, mib]));
}
