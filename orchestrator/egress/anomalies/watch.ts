// Watches records of traffic as they come for what a project has not done before, and makes events of it. What is seen, told and read
// goes into one transaction: nothing is counted or told twice, whatever dies meanwhile. Used by ../open.ts.
import { setTimeout as delay } from 'node:timers/promises';
import { TrafficRecord } from '../../../protocol/traffic.ts';
import { transaction, type Database, type Queryable } from '../../db/connect.ts';
import { emit } from '../../events/outbox.ts';
import { spoolReader, type Piece, type SpoolReader } from '../traffic/spool-reader.ts';
import { PAST_DAYS, SETTLED_MS, unusual } from './rules.ts';

export interface WatchOptions {
  db: Database;
  spool: string;
  signal: AbortSignal;
  failed(error: unknown): void;
}

const LOOK_MS = 1_000;
const AGAIN_MS = 10_000;
const PIECE_BYTES = 1024 * 1024;
/** What is older is learnt from, and not told: a spool that was never watched has months of it. */
const TOLD_MS = 86_400_000;
/** Of one project and day; more are seen, and not told. */
const MOST_HOSTS_TOLD = 10;
/** Of one project; more are not kept. */
const MOST_HOSTS = 5_000;
const KEPT_DAYS = 30;

/** Looks at all that comes until the signal. */
export async function watchAnomalies(options: WatchOptions): Promise<void> {
  const { db, spool, signal, failed } = options;
  const reader = spoolReader(db, 'anomalies', spool);
  while (!signal.aborted) {
    let pause = 0;
    try {
      if (!(await watchOnce(db, reader))) pause = LOOK_MS;
    } catch (error) {
      pause = AGAIN_MS;
      reader.startOver();
      if (!signal.aborted) failed(error);
    }
    if (pause > 0) await delay(pause, undefined, { signal }).catch(() => {});
  }
}

/** Looks at the next piece of the spool; false when there is none. */
export async function watchOnce(db: Database, reader: SpoolReader): Promise<boolean> {
  const piece = await reader.next(PIECE_BYTES);
  if (piece === null) return false;
  const sums = sumsOf(piece);
  await transaction(db, async (tx) => {
    for (const sum of sums) {
      await countHour(tx, sum);
      await noteHosts(tx, sum);
    }
    await reader.done(tx, piece);
  });
  return true;
}

/** What a project has sent in an hour, by a piece of the spool. */
interface Sum {
  /** '' where nobody said whose it is. */
  project: string;
  hour: string;
  requests: number;
  refused: number;
  bytesOut: number;
  /** Those that something was sent to. */
  hosts: Set<string>;
}

function sumsOf({ lines }: Piece): Sum[] {
  const sums = new Map<string, Sum>();
  for (const { text } of lines) {
    const record = recordIn(text);
    if (record?.event !== 'close') continue;
    const project = record.project ?? '';
    const hour = `${record.at.slice(0, 13)}:00:00Z`;
    const key = `${project} ${hour}`;
    const sum = sums.get(key) ?? { project, hour, requests: 0, refused: 0, bytesOut: 0, hosts: new Set() };
    sums.set(key, sum);
    sum.requests += 1;
    if (record.decision !== 'allowed') sum.refused += 1;
    else if (record.host !== null) sum.hosts.add(record.host);
    sum.bytesOut += record.bytesOut ?? 0;
  }
  return [...sums.values()];
}

function recordIn(text: string): TrafficRecord | undefined {
  try {
    return TrafficRecord.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // half a line, as a crash leaves it
  }
}

async function countHour(tx: Queryable, { project, hour, requests, refused, bytesOut }: Sum): Promise<void> {
  const { rows } = await tx.query<{
    refused: number;
    bytes_out: number;
    told: string[];
    most_refused: number;
    most_bytes_out: number;
    settled: boolean;
  }>(
    `with counted as (
       insert into traffic_hour as t values ($1, $2, $3, $4, $5)
       on conflict (project, hour) do update set requests = t.requests + excluded.requests,
         refused = t.refused + excluded.refused, bytes_out = t.bytes_out + excluded.bytes_out
       returning *),
     past as (select * from traffic_hour where project = $1 and hour < $2::timestamptz and hour >= $2::timestamptz - make_interval(days => $6))
     select counted.refused, counted.bytes_out, counted.told,
       coalesce((select max(refused) from past), 0) as most_refused,
       coalesce((select max(bytes_out) from past), 0) as most_bytes_out,
       coalesce((select min(hour) from past) <= $2::timestamptz - make_interval(secs => $7), false) as settled
     from counted`,
    [project, hour, requests, refused, bytesOut, PAST_DAYS, SETTLED_MS / 1000],
  );
  const now = rows[0]!;
  const findings = unusual({
    refused: now.refused,
    bytesOut: now.bytes_out,
    mostRefused: now.most_refused,
    mostBytesOut: now.most_bytes_out,
    settled: now.settled,
  }).filter(({ anomaly }) => !now.told.includes(anomaly));
  for (const finding of findings) {
    await tell(tx, project, { ...finding, hour });
    await tx.query('update traffic_hour set told = told || $3::text where project = $1 and hour = $2', [
      project,
      hour,
      finding.anomaly,
    ]);
  }
}

async function noteHosts(tx: Queryable, { project, hour, hosts }: Sum): Promise<void> {
  if (hosts.size === 0) return;
  const { rows: past } = await tx.query<{ known: number; told: number; settled: boolean }>(
    `select count(*)::int as known,
       (count(*) filter (where first_seen >= date_trunc('day', $2::timestamptz)))::int as told,
       coalesce(min(first_seen) <= $2::timestamptz - make_interval(secs => $3), false) as settled
     from traffic_host where project = $1`,
    [project, hour, SETTLED_MS / 1000],
  );
  const { known, told, settled } = past[0]!;
  const { rows: fresh } = await tx.query<{ host: string }>(
    `insert into traffic_host select $1, host, $2 from unnest($3::text[]) as host
     on conflict do nothing returning host`,
    [project, hour, [...hosts].slice(0, Math.max(0, MOST_HOSTS - known))],
  );
  if (!settled) return;
  for (const { host } of fresh.slice(0, Math.max(0, MOST_HOSTS_TOLD - told)))
    await tell(tx, project, { anomaly: 'first-seen-host', host, hour });
}

async function tell(
  tx: Queryable,
  project: string,
  data: { hour: string; [name: string]: unknown },
): Promise<void> {
  if (Date.now() - Date.parse(data.hour) > TOLD_MS) return;
  const { rows } = await tx.query<{ id: number }>('select id from project where name = $1', [project]);
  await emit(tx, {
    kind: 'egress.anomaly',
    ...(rows[0] && { project: rows[0].id }),
    data: { ...(project !== '' && { projectName: project }), ...data },
  });
}

/** Forgets hours that nothing is held against any more. */
export async function forgetHours(db: Queryable): Promise<void> {
  await db.query('delete from traffic_hour where hour < now() - make_interval(days => $1)', [KEPT_DAYS]);
}
