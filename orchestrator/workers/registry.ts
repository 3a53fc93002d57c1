// The workers that registered: what they are, what they can run, what they have. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import { PROTOCOL_VERSION, versionsAgree } from '../../protocol/version.ts';
import type { WorkerAnswer, WorkerInput } from '../../protocol/worker.ts';
import { setWorkerBudget } from '../budget/worker-budget.ts';
import type { Queryable } from '../db/connect.ts';
import { LEASED_STATES } from '../tasks/run-state.ts';
import { emit } from '../events/outbox.ts';
import { withinTransaction } from '../db/within-transaction.ts';

/** Registers a worker, or notes what it says of itself now, and from where; answers with the runs that it should have. */
export async function registerWorker(
  db: Queryable,
  name: string,
  input: WorkerInput,
  address?: string,
): Promise<WorkerAnswer> {
  if (!versionsAgree(PROTOCOL_VERSION, input.protocol)) throw await refuseVersion(db, name, input);
  return await withinTransaction(db, async (tx) => {
    await requireProject(tx, name, input.project);
    await upsertWorker(tx, name, input, address);
    await setWorkerBudget(tx, name, input.dailyBudget);
    const { rows } = await tx.query<WorkerAnswer>(
      `select $1::int as protocol, (select id from installation) as installation,
         (select coalesce(jsonb_agg(jsonb_build_object('run', id, 'fence', fence) order by created_at), '[]')
          from run where worker = $2 and state = any($3)) as runs`,
      [PROTOCOL_VERSION, name, LEASED_STATES],
    );
    await tx.query(`select pg_notify('queue', '')`); // it may have room, or an agent that a task waits for
    return rows[0]!;
  });
}

// The list of workers shows it until the worker registers.
async function refuseVersion(db: Queryable, name: string, input: WorkerInput): Promise<AutocodeError> {
  const message = `Worker ${name} speaks protocol ${input.protocol}, this orchestrator ${PROTOCOL_VERSION}; they may differ by one.`;
  const remedy = `Upgrade the ${input.protocol < PROTOCOL_VERSION ? 'worker' : 'orchestrator'}.`;
  await db.query(
    `insert into worker (name, host, version, capacity, state, refused) values ($1, $2, $3, 0, 'offline', $4)
     on conflict (name) do update set version = excluded.version, refused = excluded.refused`,
    [name, input.host, input.version, `${message} ${remedy}`],
  );
  return new AutocodeError('ERR_PROTOCOL_VERSION', message, { remedy, details: { ours: PROTOCOL_VERSION } });
}

async function requireProject(tx: Queryable, worker: string, project: string | undefined): Promise<void> {
  if (project === undefined) return;
  const { rowCount } = await tx.query('select from project where name = $1 and archived_at is null', [
    project,
  ]);
  if (rowCount !== 0) return;
  throw new AutocodeError(
    'ERR_NOT_FOUND',
    `Worker ${worker} is to work for project ${project}, which is not there.`,
    {
      remedy:
        'Register the project (`autocode project add`), or start the worker with another AUTOCODE_WORKER_PROJECT.',
    },
  );
}

async function upsertWorker(
  tx: Queryable,
  name: string,
  input: WorkerInput,
  address: string | undefined,
): Promise<void> {
  const before = await tx.query<{ state: string }>(
    'select state from worker where name = $1 for no key update',
    [name],
  );
  const { resources } = input;
  await tx.query(
    `insert into worker (name, host, version, capacity, agents, isolations, project, labels, placement, memory_mib, cores, disk_mib,
       allocation, clock_skew, address, state)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, extract(epoch from $14::timestamptz - now()), $15, 'online')
     on conflict (name) do update set host = excluded.host, version = excluded.version, capacity = excluded.capacity,
       agents = excluded.agents, isolations = excluded.isolations, project = excluded.project, labels = excluded.labels,
       placement = excluded.placement, memory_mib = excluded.memory_mib, cores = excluded.cores, disk_mib = excluded.disk_mib,
       allocation = excluded.allocation, clock_skew = excluded.clock_skew, address = excluded.address, refused = null, state = 'online', last_seen = now()`,
    [
      name,
      input.host,
      input.version,
      input.capacity,
      JSON.stringify(input.agents),
      JSON.stringify(input.isolations),
      input.project ?? null,
      input.labels,
      input.placement,
      resources?.memoryMib ?? null,
      resources?.cores ?? null,
      resources?.diskMib ?? null,
      input.allocation,
      input.clock ?? null,
      address?.replace(/^::ffff:/, '') ?? null,
    ],
  );
  if (before.rows[0]?.state !== 'online')
    await emit(tx, { kind: 'worker.online', data: { worker: name, host: input.host } });
}
