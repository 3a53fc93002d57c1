// The models on the appliance's own GPUs, looked after by the process of the gateway. Used by main.ts.
import { join } from 'node:path';
import type { RootLog } from '../../telemetry/log.ts';
import type { DataDirectory } from '../config/data-directory.ts';
import type { Config } from '../config/schema.ts';
import type { Database } from '../db/connect.ts';
import type { Supervisor } from '../models/supervisor/acquired.ts';

/** Starts to look after them, where there are any; engines that run already are adopted. */
export async function superviseModels(
  config: Config,
  directory: DataDirectory,
  db: Database,
  log: RootLog,
): Promise<Supervisor | undefined> {
  const settings = config.models.local;
  if (settings === undefined) return undefined;
  const { openSupervisor } = await import('../models/supervisor/open.ts');
  const logs = join(directory.path('logs/orchestrator'), 'models');
  return await openSupervisor({ settings, db, log, weights: directory.path('model-weights'), logs });
}
