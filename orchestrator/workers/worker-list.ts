// The workers as people see them: what they are, what they have, what is wrong with them. Used by the API and the status.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Resources } from '../../protocol/placement.ts';
import type { Worker } from '../../protocol/worker.ts';
import type { RunNeeds } from '../config/placement-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { LEASED_STATES } from '../tasks/run-state.ts';
import { usageOf } from '../tasks/worker-fit.ts';

/** A clock that is off by more is told: leases go by the database's clock, but certificates and logs by the worker's. */
const MOST_SKEW_SECONDS = 30;

type Row = Omit<Worker, 'lastSeen' | 'resources' | 'trouble'> & {
  [Each in keyof Resources]: Resources[Each] | null;
} & { lastSeen: Date; refused: string | null };

const iso = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Workers by name, with the runs that each has. */
export async function listWorkers(db: Queryable, needs: Pick<RunNeeds, 'diskFreeMib'>): Promise<Worker[]> {
  return await readWorkers(db, needs, 'true', []);
}

/** One worker; ERR_NOT_FOUND. */
export async function getWorker(
  db: Queryable,
  name: string,
  needs: Pick<RunNeeds, 'diskFreeMib'>,
): Promise<Worker> {
  const [worker] = await readWorkers(db, needs, 'name = $2', [name]);
  if (worker !== undefined) return worker;
  throw new AutocodeError('ERR_NOT_FOUND', `There is no worker ${name}.`, {
    remedy: 'See `autocode worker list`.',
  });
}

async function readWorkers(
  db: Queryable,
  { diskFreeMib }: Pick<RunNeeds, 'diskFreeMib'>,
  where: string,
  values: unknown[],
): Promise<Worker[]> {
  const { rows } = await db.query<Row>(
    `select name, host, version, capacity, agents, isolations, project, labels, placement, memory_mib as "memoryMib", cores,
       disk_mib as "diskMib", allocation, draining, clock_skew as "clockSkewSeconds", refused, state, last_seen as "lastSeen",
       had.running, had."reservedMib", (select coalesce(jsonb_agg(jsonb_build_object('run', r.id, 'project', p.name,
           'state', r.state, 'isolation', r.isolation, 'memoryMib', r.memory_mib, 'sandboxUsage', r.sandbox_usage, 'since', ${iso('r.created_at')},
           'deadline', ${iso('r.deadline')}) order by r.created_at), '[]')
         from run r join task t on t.id = r.task join project p on p.id = t.project
         where r.worker = w.name and r.state = any($1)) as runs
     from worker w cross join lateral (${usageOf('$1')}) had
     where ${where} order by name`,
    [LEASED_STATES, ...values],
  );
  return rows.map(({ memoryMib, cores, diskMib, refused, ...row }) => {
    const resources =
      memoryMib === null || cores === null || diskMib === null ? null : { memoryMib, cores, diskMib };
    const found = { ...row, resources, lastSeen: row.lastSeen.toISOString() };
    return { ...found, trouble: troubleOf(found, refused, diskFreeMib) };
  });
}

function troubleOf(
  { clockSkewSeconds, resources }: Pick<Worker, 'clockSkewSeconds' | 'resources'>,
  refused: string | null,
  diskFreeMib: number,
): string | null {
  const found = [];
  if (refused !== null) found.push(`It was refused: ${refused}`);
  if (resources !== null && resources.diskMib < diskFreeMib)
    found.push(`Its disk is nearly full: ${resources.diskMib} MiB are free, runs begin with ${diskFreeMib}.`);
  if (clockSkewSeconds !== null && Math.abs(clockSkewSeconds) > MOST_SKEW_SECONDS) {
    const direction = clockSkewSeconds > 0 ? 'ahead' : 'behind';
    found.push(`Its clock is ${Math.abs(Math.round(clockSkewSeconds))} s ${direction}.`);
  }
  return found.length === 0 ? null : found.join(' ');
}
