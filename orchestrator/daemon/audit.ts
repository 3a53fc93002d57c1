// What is done with the records of traffic as they come: shipped to Elasticsearch where there is one, and watched for anomalies where
// there is a way out; nothing of it is loaded otherwise. Used by main.ts.
import type { PartHealth } from '../../protocol/status.ts';
import type { RootLog } from '../../telemetry/log.ts';
import type { Config } from '../config/schema.ts';
import type { Database } from '../db/connect.ts';
import type { Search } from '../egress/audit/client.ts';
import { egressPlaces } from '../egress/places.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';

export interface TrafficAudit {
  /** Elasticsearch; undefined where it is not configured. */
  search: Search | undefined;
  health(): Promise<PartHealth | undefined>;
  stop(): Promise<void>;
}

/** Starts it; connects to nothing before it returns. */
export async function startAudit(
  config: Config,
  root: string,
  db: Database,
  log: RootLog,
  secrets: SecretManager,
): Promise<TrafficAudit> {
  const stopping = new AbortController();
  const watched = config.egress.proxy ? watch(root, db, log, stopping.signal) : undefined;
  const audit =
    config.egress.audit &&
    (await import('../egress/audit/open.ts')).openAudit({
      settings: config.egress.audit,
      root,
      db,
      log,
      secrets,
    });
  return {
    search: audit?.search,
    health: async () => await audit?.health(),
    async stop() {
      stopping.abort();
      await Promise.all([watched, audit?.stop()]);
    },
  };
}

async function watch(root: string, db: Database, log: RootLog, signal: AbortSignal): Promise<void> {
  const { watchAnomalies } = await import('../egress/anomalies/watch.ts');
  const failed = (error: unknown) =>
    log.warn('traffic could not be watched for anomalies; it is tried again', { error });
  await watchAnomalies({ db, spool: egressPlaces(root).spool, signal, failed });
}
