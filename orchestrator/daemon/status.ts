// What `autocode status` shows: counts, workers, parts, disk and memory.
import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalogue } from '../models/catalogue.ts';
import type { Worker } from '../../protocol/worker.ts';
import type { PartHealth, Status } from '../../protocol/status.ts';
import { runNeeds } from '../config/placement-settings.ts';
import type { RunningSettings } from '../config/settings.ts';
import { hasPgvector, type Queryable } from '../db/connect.ts';
import { getDrain } from '../tasks/drain.ts';
import { listWorkers } from '../workers/worker-list.ts';
import { drainHealth } from './drain-status.ts';
import { fleetHealth } from './fleet-status.ts';
import { intakeHealth } from './intake-status.ts';
import { modelParts } from './model-status.ts';
import { notificationHealth } from './notification-status.ts';
import { secretsHealth } from './secret-status.ts';

const MEGABYTE = 1024 * 1024;
/** With less than this nothing is stored reliably any more; with less than that it is time to do something. */
const FULL_MB = 32;
const SCARCE_MB = 1024;

export interface StatusSources {
  db: Queryable;
  catalogue: Catalogue;
  supervisedDatabase: boolean;
  /** Parts that are there only when they are configured. */
  others: PartHealth[];
  settings: Pick<RunningSettings, 'config' | 'health'>;
  fixed: Pick<Status, 'version' | 'startedAt' | 'roles' | 'apiUrl' | 'gatewayUrl' | 'dataDir' | 'currency'>;
}

/** Gathers the status; a part that is away is told, not thrown. */
export async function gatherStatus({
  db,
  catalogue,
  supervisedDatabase,
  others,
  settings,
  fixed,
}: StatusSources): Promise<Status> {
  const { config } = settings;
  const runLogs = join(fixed.dataDir, 'logs/worker');
  const [
    installation,
    tasks,
    runs,
    workers,
    disk,
    logDisk,
    vectors,
    models,
    drain,
    fleet,
    secrets,
    intake,
    notifications,
  ] = await Promise.all([
    db.query<{ id: string }>('select id from installation'),
    counts(db, `select state, count(*)::int from task group by state`),
    counts(
      db,
      `select state, count(*)::int from run where state in ('leased','preparing','working','verifying','submitting') group by state`,
    ),
    listWorkers(db, runNeeds(config.placement)),
    statfs(fixed.dataDir),
    statfs(runLogs).catch(() => null), // a file system of its own, perhaps; made with the first log
    hasPgvector(db),
    modelParts(db, catalogue, config.models.local !== undefined),
    getDrain(db),
    fleetHealth(db, config),
    secretsHealth(db),
    intakeHealth(db),
    notificationHealth(db, config.notifications),
  ]);
  const parts: PartHealth[] = [
    {
      name: 'database',
      state: 'ok',
      detail: `PostgreSQL, ${supervisedDatabase ? 'supervised' : 'external'}${vectors ? ', with pgvector' : ''}`,
    },
    fixed.gatewayUrl === null
      ? { name: 'gateway', state: 'off', detail: 'runs in another process' }
      : { name: 'gateway', state: 'ok', detail: fixed.gatewayUrl },
    ...models,
    ...[settings.health() ?? []].flat(),
    ...drainHealth(drain),
    ...others,
    ...secrets,
    ...intake,
    ...notifications,
    workersHealth(workers),
    ...fleet,
    diskHealth(
      logDisk !== null && room(logDisk) < room(disk) ? [runLogs, room(logDisk)] : [fixed.dataDir, room(disk)],
    ),
  ];
  return {
    ...fixed,
    installation: installation.rows[0]!.id,
    pid: process.pid,
    parts,
    tasks,
    runs,
    workers,
    disk: { freeBytes: room(disk), totalBytes: disk.blocks * disk.bsize },
    memoryBytes: process.memoryUsage.rss(),
  };
}

const room = ({ bavail, bsize }: StatsFs): number => bavail * bsize;

function workersHealth(workers: Worker[]): PartHealth {
  const online = workers.filter((worker) => worker.state === 'online').length;
  if (online === 0)
    return { name: 'workers', state: 'down', detail: 'none is online; tasks wait until one is' };
  const troubles = workers.flatMap(({ name, trouble }) => (trouble === null ? [] : [`${name}: ${trouble}`]));
  return {
    name: 'workers',
    state: troubles.length === 0 ? 'ok' : 'degraded',
    detail: [`${online} online`, ...troubles].join('; '),
  };
}

function diskHealth([directory, freeBytes]: [string, number]): PartHealth {
  const free = `${Math.floor(freeBytes / MEGABYTE)} MB are free under ${directory}`;
  if (freeBytes < FULL_MB * MEGABYTE)
    return { name: 'disk', state: 'down', detail: `full: ${free}; runs wait until there is room` };
  if (freeBytes < SCARCE_MB * MEGABYTE)
    return { name: 'disk', state: 'degraded', detail: `nearly full: ${free}` };
  return { name: 'disk', state: 'ok', detail: free };
}

async function counts(db: Queryable, sql: string): Promise<Record<string, number>> {
  const { rows } = await db.query<{ state: string; count: number }>(sql);
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}
