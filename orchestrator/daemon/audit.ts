// Records of traffic in Elasticsearch, where there is one; nothing of it is loaded otherwise. Used by main.ts.
import type { RootLog } from '../../telemetry/log.ts';
import type { Config } from '../config/schema.ts';
import type { Database } from '../db/connect.ts';
import type { Audit } from '../egress/audit/open.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';

/** Starts to ship them. */
export async function startAudit(
  config: Config,
  root: string,
  db: Database,
  log: RootLog,
  secrets: SecretManager,
): Promise<Audit | undefined> {
  if (config.egress.audit === undefined) return undefined;
  const { openAudit } = await import('../egress/audit/open.ts');
  return openAudit({ settings: config.egress.audit, root, db, log, secrets });
}
