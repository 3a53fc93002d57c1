// The rows of the catalogue's models: who waits, and why one cannot be loaded. Written by the loop; `model list` and the
// status read them with what runs.
import { LocalModel } from '../../../protocol/local-model.ts';
import type { LocalModelStatus } from '../../../protocol/local-model.ts';
import type { Queryable } from '../../db/connect.ts';
import type { Member } from './fleet.ts';

const written = new WeakMap<Member, string>();

/** Makes the rows those of the catalogue, in its order. */
export async function keepCatalogue(db: Queryable, models: readonly LocalModel[]): Promise<void> {
  await db.query('delete from local_model where not name = any($1)', [models.map(({ name }) => name)]);
  await db.query(
    `insert into local_model (name, entry, weights)
     select entry->>'name', entry, 'missing' from jsonb_array_elements($1::jsonb) as entry
     on conflict (name) do update set entry = excluded.entry, waiting = 0`,
    [JSON.stringify(models)],
  );
}

/** Notes what has changed of a model. */
export async function observeMember(db: Queryable, member: Member): Promise<void> {
  const { model, weights, waiting, usedAt, trouble } = member;
  const used = usedAt === null ? null : new Date(usedAt - (usedAt % 1000));
  const row = [model.name, weights, waiting.length, used, trouble?.problem ?? null, trouble?.remedy ?? null];
  const text = JSON.stringify(row);
  if (written.get(member) === text) return;
  await db.query(
    `update local_model set weights = $2, waiting = $3, used_at = coalesce($4, used_at), problem = $5, remedy = $6
     where name = $1`,
    row,
  );
  written.set(member, text);
}

interface Row {
  entry: unknown;
  weights: LocalModelStatus['weights'];
  waiting: number;
  usedAt: Date | null;
  problem: string | null;
  remedy: string | null;
}

/** A replica, or the end of the last one. */
interface Ran {
  model: string;
  state: LocalModelStatus['state'] | 'stopped';
  gpus: number[];
  endpoint: string | null;
  pid: number | null;
  log: string | null;
  since: Date;
  inFlight: number;
  predictedMib: number | null;
  reportedMib: number | null;
  measuredMib: number | null;
  figures: LocalModelStatus['figures'];
  problem: string | null;
  remedy: string | null;
}

// The best state of several replicas is the model's.
const ORDER = ['ready', 'loading', 'asleep', 'stopping', 'failed', 'stopped'];

/** All models of the catalogue with what runs of them; `name`: that one alone. */
export async function listLocalModels(db: Queryable, name?: string): Promise<LocalModelStatus[]> {
  const [models, ran] = await Promise.all([
    db.query<Row>(
      `select entry, weights, waiting, used_at as "usedAt", problem, remedy from local_model
       where $1::text is null or name = $1 order by name`,
      [name ?? null],
    ),
    runs(db),
  ]);
  return models.rows.map((row) => status(row, ran));
}

/** The log file of a model's newest launch; null when none was begun on this machine. */
export async function logOf(db: Queryable, model: string): Promise<string | null> {
  const { rows } = await db.query<{ log: string | null }>(
    `select handle->>'log' as log from engine_instance where model = $1 and handle ? 'log' order by began_at desc limit 1`,
    [model],
  );
  return rows[0]?.log ?? null;
}

/** Live replicas, and of models without one the newest that ended. */
async function runs(db: Queryable): Promise<Ran[]> {
  const { rows } = await db.query<Ran>(
    `select model, state, gpus, endpoint, (handle->>'pid')::int as pid, since, in_flight as "inFlight",
       predicted_mib as "predictedMib", reported_mib as "reportedMib", measured_mib as "measuredMib", figures, problem, remedy
     from engine_instance where state not in ('stopped','failed')
     union all
     (select distinct on (model) model, state, gpus, endpoint, null, since, 0,
       predicted_mib, reported_mib, measured_mib, null, problem, remedy
     from engine_instance as ended where state in ('stopped','failed')
       and not exists (select from engine_instance as live where live.model = ended.model and live.state not in ('stopped','failed'))
     order by model, since desc)`,
  );
  return rows.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
}

function status({ entry, ...row }: Row, all: readonly Ran[]): LocalModelStatus {
  const model = LocalModel.parse(entry);
  const ran = all.filter((each) => each.model === model.name);
  const [best] = ran;
  const gone = best === undefined || best.state === 'stopped';
  const failed = best?.state === 'failed';
  const live = gone || failed ? [] : ran;
  const sum = (of: (each: Ran) => number) => live.reduce((total, each) => total + of(each), 0);
  return {
    name: model.name,
    engine: model.engine,
    roles: model.roles,
    load: model.load,
    weights: row.weights,
    state: gone ? 'unloaded' : (best.state as LocalModelStatus['state']),
    gpus: [...new Set(live.flatMap(({ gpus }) => gpus))].toSorted((a, b) => a - b),
    endpoint: live[0]?.endpoint ?? null,
    pid: live[0]?.pid ?? null,
    since: best?.since.toISOString() ?? null,
    usedAt: row.usedAt?.toISOString() ?? null,
    inFlight: sum(({ inFlight }) => inFlight),
    waiting: row.waiting,
    predictedMib: best?.predictedMib ?? null,
    reportedMib: best?.reportedMib ?? null,
    measuredMib: best?.measuredMib ?? null,
    figures: live[0]?.figures ?? null,
    problem: row.problem ?? (failed || best?.state === 'stopping' ? best.problem : null),
    remedy: row.remedy ?? (failed || best?.state === 'stopping' ? best.remedy : null),
  };
}
