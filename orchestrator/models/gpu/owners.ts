// Whose memory it is: what of a card's the appliance's engines have taken, and what others. Used by the rest of this folder.
import { readFileSync } from 'node:fs';
import type { Queryable } from '../../db/connect.ts';
import type { Reading } from './judge.ts';
import type { DriverCard } from './nvidia-smi.ts';

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

/**
 * What our engines should have taken of each GPU where no process tells: of all when the driver names none, else of those whose
 * processes belong to another server, as Ray or Ollama. One that sleeps keeps next to nothing.
 */
export async function expectedMib(db: Queryable, processesAreNamed: boolean): Promise<Map<number, number>> {
  const { rows } = await db.query<{ index: number; mib: number }>(
    `select gpu::int as index, sum(coalesce(reported_mib, predicted_mib, 0))::int as mib
     from engine_instance, jsonb_array_elements_text(gpus) as gpu
     where state in ('loading', 'ready', 'stopping') and not ($1 and handle ? 'pid') group by 1`,
    [processesAreNamed],
  );
  return new Map(rows.map(({ index, mib }) => [index, mib]));
}

/** Memory of a card that is not our engines'; null where the driver does not tell how much is taken. */
export function foreignMib(card: DriverCard, { processes, isOurs, expected }: Reading): number | null {
  if (card.usedMib === null) return null;
  const named = processes?.filter(({ uuid, pid }) => uuid === card.uuid && isOurs(pid));
  const ours = (named?.reduce((sum, { usedMib }) => sum + usedMib, 0) ?? 0) + (expected.get(card.index) ?? 0);
  return Math.max(0, Math.round(card.usedMib - ours));
}

/** Those others, as well as they are known. */
export function strangers(card: DriverCard, { processes, isOurs }: Reading): string {
  const others = processes?.filter(({ uuid, pid }) => uuid === card.uuid && !isOurs(pid)) ?? [];
  if (others.length === 0) return 'what is no engine of the appliance';
  const pids = others.map(({ pid }) => pid).join(', ');
  return `${others.length === 1 ? 'process' : 'processes'} ${pids}, no engine of the appliance`;
}
