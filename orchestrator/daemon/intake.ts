// Intake as chores of the scheduler: asking sources, working on what they delivered. Nothing of a kind of source is loaded
// before one is added. Used by main.ts.
import type { RootLog } from '../../telemetry/log.ts';
import { serverKey } from '../access/server-key.ts';
import type { Config } from '../config/schema.ts';
import type { Database } from '../db/connect.ts';
import { keepIncidents } from '../incidents/keep.ts';
import { incidentRules } from '../incidents/rules.ts';
import { answerTasks } from '../intake/answers.ts';
import { keepForgeDeliveries } from '../intake/forge-hooks.ts';
import { puller } from '../intake/pull.ts';
import { reactToComments } from '../intake/reactions.ts';
import { sealer, type Sealer } from '../intake/sealing.ts';
import { removeOldBodies } from '../intake/retention.ts';
import { keepTeams } from '../intake/teams.ts';
import { workOnDeliveries } from '../intake/work.ts';
import type { Catalogue } from '../models/catalogue.ts';
import type { KeepDelivery } from '../repos/forge/webhook.ts';
import type { Forges } from '../repos/forge/forges.ts';
import { requireSecret, type SecretManager } from '../secrets/secret-manager.ts';
import type { Chore } from '../tasks/scheduler.ts';

export interface IntakeParts {
  config: Config;
  db: Database;
  secrets: SecretManager;
  forges: Forges;
  models: Pick<Catalogue, 'list'>;
  log: RootLog;
}

/** What the API takes deliveries in with. */
export function intakeOf(key: Buffer): { sealer: Sealer; keepDelivery: KeepDelivery } {
  const seal = sealer(key);
  return { sealer: seal, keepDelivery: keepForgeDeliveries(seal) };
}

const DAY = 24 * 60 * 60;

/** Chores of the scheduler. */
export async function intakeChores(parts: IntakeParts): Promise<Chore[]> {
  const { config, db, secrets, forges, models, log } = parts;
  const seal = sealer(await serverKey(secrets));
  const incidents = incidentRules(config.incidents);
  const secret = async (name: string) => await requireSecret(secrets, name);
  const pull = puller({ db, forges, secret, log, sealer: seal });
  const work = async (signal: AbortSignal) => {
    const known = models.list();
    const defaults = {
      agent: config.agents.default,
      priorityMinutes: config.scheduling.priorityMinutes,
      model: known.find((model) => model.isDefault)?.name ?? null,
      spokenBy: (name: string) => known.find((model) => model.name === name)?.protocols,
    };
    await workOnDeliveries({ db, sealer: seal, defaults, incidents }, signal);
  };
  return [
    { name: 'intake', everySeconds: 1, run: work },
    { name: 'incidents', everySeconds: 5, run: async () => await keepIncidents(db, incidents) },
    {
      name: 'sources',
      everySeconds: 1,
      run: async (signal) => await pull.look(signal),
    },
    {
      name: 'teams',
      everySeconds: 5,
      run: async (signal) => await keepTeams({ db, forges, log }, signal),
    },
    {
      name: 'answers',
      everySeconds: 5,
      run: async (signal) => {
        await answerTasks({ db, secret, log, forges }, signal);
        await reactToComments({ db, secret, log, forges }, signal);
      },
    },
    {
      name: 'bodies of deliveries',
      everySeconds: DAY,
      run: async () => await removeOldBodies(db, config.retention.intakeDays),
    },
  ];
}
