// What tests of intake work with: a database with a project, a sealer, deliveries of a source of their own.
import { randomUUID } from 'node:crypto';
import type { Trust } from '../../protocol/intake.ts';
import { IncidentSettings } from '../config/incident-settings.ts';
import { incidentRules } from '../incidents/rules.ts';
import { testDatabase, type TestDatabase } from '../../test/support/database.ts';
import type { Queryable } from '../db/connect.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';
import { storeDelivery } from './deliveries.ts';
import { sealer } from './sealing.ts';
import { addSource } from './sources.ts';
import { workOnDeliveries, type WorkDeps } from './work.ts';

export interface Rig {
  db: TestDatabase;
  deps: WorkDeps;
  secrets: SecretManager;
  /** Adds a source of the kind `webhook` for the project `shop`. */
  source(name: string, settings?: object, trust?: Partial<Trust>): Promise<void>;
  /** Stores a delivery with this body, as a webhook does. */
  deliver(source: string, body: object, name?: string): Promise<void>;
  /** Works on all that waits. */
  work(): Promise<void>;
  /** Verdicts in the order in which they were made. */
  verdicts(): Promise<string[]>;
  tasks(): Promise<{ id: number; title: string; body: string; state: string }[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens a rig on a fresh database. */
export async function intakeRig(): Promise<Rig> {
  const db = await testDatabase();
  const deps = {
    db: db.pool,
    sealer: sealer(Buffer.alloc(32, 7)),
    defaults: { agent: 'command', model: null },
    incidents: incidentRules(IncidentSettings.parse({})),
  };
  const kept = new Map<string, string>();
  const secrets = memorySecrets(kept);
  await addProject(db.pool, 'shop');
  return {
    db,
    deps,
    secrets,
    source: async (name, settings = {}, trust = {}) => {
      const input = {
        perHour: 1000,
        perActorPerHour: 1000,
        actors: [],
        quarantine: true,
        reopenings: 10,
        ...trust,
      };
      await addSource(
        { db: db.pool, secrets },
        {
          name,
          kind: 'webhook',
          project: 'shop',
          settings: settings as Record<string, unknown>,
          trust: input,
        },
        'me',
      );
    },
    deliver: async (source, body, name = randomUUID()) => {
      const raw = {
        delivery: name,
        event: 'event',
        body: Buffer.from(JSON.stringify(body)),
        via: 'webhook' as const,
      };
      await storeDelivery(db.pool, deps.sealer, source, raw);
    },
    work: async () => void (await workOnDeliveries(deps, new AbortController().signal)),
    verdicts: async () => {
      const { rows } = await db.pool.query<{ verdict: string }>(
        'select verdict from intake_item order by id',
      );
      return rows.map(({ verdict }) => verdict);
    },
    tasks: async () => (await db.pool.query('select id, title, body, state from task order by id')).rows,
    [Symbol.asyncDispose]: async () => await db[Symbol.asyncDispose](),
  };
}

/** A project with one repository, whose tasks run a program; answers the repository's id. */
export async function addProject(
  db: Queryable,
  name: string,
  origin = `/nowhere/${name}`,
  forge = 'local',
): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    `with made as (insert into project (name, agent_command, agent, isolation) values ($1, '["true"]', 'command', 'bubblewrap') returning id)
     insert into repository (project, name, origin, hosted, forge, default_branch) select id, $1, $2, false, $3, 'main' from made returning id`,
    [name, origin, forge],
  );
  return rows[0]!.id;
}

// Secrets in memory: these tests are not about how they are kept.
function memorySecrets(kept: Map<string, string>): SecretManager {
  return {
    get: async (name) => (kept.has(name) ? { value: kept.get(name)!, version: 1 } : undefined),
    put: async (name, value) => (kept.set(name, value), 1),
    list: async () => [],
    history: async () => [],
    delete: async (name) => kept.delete(name),
  };
}
